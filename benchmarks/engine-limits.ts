/** The bounds that `limitsOf` in `engine/engine.ts` gives a partition; a ceiling under other bounds would be another one. */
import type { Config } from '../engine/config.js'

export interface EngineLimits {
  readonly batchEvents: number
  readonly batchBytes: number
  readonly readAheadEvents: number
  readonly cacheProfiles: number
  readonly cacheBytes: number
}

export function engineLimits({ batch, cache }: Config, partitions: number): EngineLimits {
  return {
    batchEvents: batch.maxEvents,
    batchBytes: batch.maxBytes,
    readAheadEvents: Math.max(128, Math.min(batch.maxEvents * 2, Math.ceil(8_192 / partitions))),
    cacheProfiles: Math.max(Math.ceil(cache.maxProfiles / partitions), batch.maxEvents * 4),
    cacheBytes: Math.ceil(cache.maxBytes / partitions),
  }
}
