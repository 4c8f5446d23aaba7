/**
 * Profiles for everybody before anything is measured: copies of some that the engine has made of events, as of before the first
 * event of the stream. Letting the engine make millions of them would take longer than all measurements.
 */
import { Redis } from 'ioredis'
import { partitionOf } from '../../engine/nats/partitioning.js'
import type { Pipeline } from '../../engine/pipeline.js'
import { RedisKeys } from '../../profiles/redis-keys.js'
import type { Contender } from '../contenders/contender.js'

const writeAtOnce = 2_000
/** Differences between profiles matter, thousands of different ones do not. */
const mostTemplates = 1_000

/** Stored forms of profiles that the engine has left in Redis. */
export async function readTemplates(redisUrl: string, pipeline: Pipeline): Promise<Buffer[]> {
  const redis = new Redis(redisUrl)
  try {
    const model = pipeline.profile.model()
    const match = new RedisKeys(pipeline.name).pattern.replace(/\*$/, 'p:*')
    const templates: Buffer[] = []
    for await (const names of redis.scanStream({ match, count: mostTemplates }) as AsyncIterable<string[]>) {
      if (names.length === 0) continue
      for (const bytes of await redis.mgetBuffer(names)) {
        const state = model.decode('', bytes!)
        // A profile that has seen a later event would take those of the next stream for ones it knows.
        Object.assign(state, { lastSeq: 0 })
        templates.push(model.encode(state))
      }
      if (templates.length >= mostTemplates) break
    }
    return templates
  } finally {
    redis.disconnect()
  }
}

/** The same contender, which finds a profile for each of `users` people when it starts. */
export function populated(
  contender: Contender,
  pipeline: Pipeline,
  users: number,
  templates: readonly Buffer[],
): Contender {
  return {
    ...contender,
    start: async site => {
      await populate(site.redisUrl, pipeline, users, templates)
      return contender.start(site)
    },
  }
}

async function populate(
  redisUrl: string,
  pipeline: Pipeline,
  users: number,
  templates: readonly Buffer[],
): Promise<void> {
  const redis = new Redis(redisUrl)
  try {
    // Written once in the end, as after a rewrite, instead of command by command.
    await redis.config('SET', 'appendonly', 'no')
    const keys = new RedisKeys(pipeline.name)
    let written: Promise<unknown> = Promise.resolve()
    for (let first = 1; first <= users; first += writeAtOnce) {
      const pairs: (string | Buffer)[] = []
      for (let user = first; user < Math.min(first + writeAtOnce, users + 1); user++) {
        // As `examples/shop/visits.ts` names them.
        const id = `u${String(user).padStart(6, '0')}`
        pairs.push(keys.profile(partitionOf(id, pipeline.partitions), id), templates[user % templates.length]!)
      }
      // One portion is written while the next is made.
      await written
      written = redis.mset(...pairs)
    }
    await written
    await redis.config('SET', 'appendonly', 'yes')
    while (!(await redis.info('persistence')).includes('aof_rewrite_in_progress:0')) {
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  } finally {
    redis.disconnect()
  }
}
