/** What the configuration's bounds leave to each partition. */
import type { Config } from './config.js'

/** Events received or asked for, over all partitions. They wait as bytes outside the heap, see `nats/arrivals.ts`. */
const processReadAhead = 16_384
/** Per partition; fewer would wait for the broker between batches. */
const minReadAhead = 128

/** Bounds per partition, except where it says otherwise. */
export interface Limits {
  readonly batchEvents: number
  /** Events received or asked for and not yet folded. */
  readonly readAheadEvents: number
  readonly batchBytes: number
  readonly cacheProfiles: number
  readonly cacheBytes: number
  readonly outboxEntries: number
  readonly outboxBytes: number
  /** Another may take over after this long without a sign of the owner, who publishes nothing after half as long without a proof. */
  readonly leaseMs: number
}

/** The bounds of one of `partitions` partitions. */
export function limitsOf({ batch, cache, outbox, lease }: Config, partitions: number): Limits {
  return {
    batchEvents: batch.maxEvents,
    readAheadEvents: Math.max(minReadAhead, Math.min(batch.maxEvents * 4, Math.ceil(processReadAhead / partitions))),
    batchBytes: batch.maxBytes,
    // A generation must hold what two folds touch, see ProfileCache.trim.
    cacheProfiles: Math.max(Math.ceil(cache.maxProfiles / partitions), batch.maxEvents * 4),
    cacheBytes: Math.ceil(cache.maxBytes / partitions),
    outboxEntries: outbox.maxEntries,
    outboxBytes: outbox.maxBytes,
    leaseMs: lease.ttl,
  }
}
