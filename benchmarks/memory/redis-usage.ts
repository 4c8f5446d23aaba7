/** What a pipeline's state takes in Redis, by what it is for. */
import type { Redis } from 'ioredis'
import { RedisKeys } from '../../profiles/redis-keys.js'

export interface RedisUsage {
  readonly profiles: number
  /** Names of some profiles' keys. */
  readonly sample: readonly string[]
  /** The stored form, mean of the sample, bytes. */
  readonly storedBytes: number
  /** With name, headers and what the allocator rounds up to, mean of the sample, bytes. */
  readonly profileBytes: number
  /** Exact, bytes of all keys of a kind: meta, timers, dedupe, outbox. */
  readonly beside: Readonly<Record<string, number>>
}

const readAtOnce = 1_000
/** Every so manyth profile is looked at closely. */
const sampleEvery = 50

/** Kinds of keys by the part of their names that follows the partition; `profiles/redis-keys.ts` lists them. */
const kinds: readonly (readonly [RegExp, string])[] = [
  [/:meta$/, 'meta'],
  [/:t$/, 'timers'],
  [/:d:[^:]+:\d+$/, 'dedupe'],
  [/:o$/, 'outbox'],
]

/** Nothing may be written meanwhile. */
export async function readRedisUsage(redis: Redis, pipeline: string): Promise<RedisUsage> {
  const sample: string[] = []
  const beside: Record<string, number> = {}
  const profiles = new Set<string>()
  const { pattern } = new RedisKeys(pipeline)
  for await (const names of redis.scanStream({ match: pattern, count: readAtOnce }) as AsyncIterable<string[]>) {
    for (const name of names) {
      const kind = /\}:p:/.test(name) ? undefined : kinds.find(([shape]) => shape.test(name))?.[1]
      if (kind !== undefined) beside[kind] = (beside[kind] ?? 0) + (await memoryUsage(redis, name))
      // A scan may show a key twice.
      else if (!profiles.has(name) && profiles.add(name).size % sampleEvery === 0) sample.push(name)
    }
  }
  let [storedBytes, profileBytes] = [0, 0]
  for (let from = 0; from < sample.length; from += readAtOnce) {
    const some = sample.slice(from, from + readAtOnce)
    const sizes = await Promise.all(some.map(name => Promise.all([redis.strlen(name), memoryUsage(redis, name)])))
    for (const [stored, all] of sizes) {
      storedBytes += stored
      profileBytes += all
    }
  }
  const count = Math.max(1, sample.length)
  return {
    profiles: profiles.size,
    sample,
    storedBytes: storedBytes / count,
    profileBytes: profileBytes / count,
    beside,
  }
}

/** What Redis says it uses itself, bytes: without fragmentation. */
export async function usedMemory(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))![1])
}

async function memoryUsage(redis: Redis, name: string): Promise<number> {
  // SAMPLES 0: every element of a sorted set, not a guess from five.
  return Number(await redis.call('MEMORY', 'USAGE', name, 'SAMPLES', '0'))
}
