/**
 * What does a decoded profile take in the heap? Stored profiles are decoded into the engine's cache; the heap after a full
 * collection, with them and without, makes the difference.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Redis } from 'ioredis'
import { loadPipeline } from '../../engine/load-pipeline.js'
import { ProfileCache } from '../../engine/partition/profile-cache.js'
import type { Prepare } from '../ceilings/task.js'

export interface HeapJob {
  readonly redisUrl: string
  readonly pipelineFile: string
  /** Names of the profiles' keys in Redis. */
  readonly names: readonly string[]
}

export interface HeapResult {
  readonly profiles: number
  readonly bytesPerProfile: number
}

/** A collection that gains less than this was the last. */
const settledBytes = 10_000
const settleMs = 50

export const prepareHeap: Prepare<HeapJob, HeapResult> = async ({ redisUrl, pipelineFile, names }) => {
  const { pipeline } = await loadPipeline(pipelineFile)
  const model = pipeline.profile.model()
  const redis = new Redis(redisUrl)
  const stored = (await redis.mgetBuffer([...names])).flatMap((bytes, at) =>
    bytes === null ? [] : [{ key: keyOf(names[at]!), bytes }],
  )
  redis.disconnect()
  const collect = exposedCollector()
  return {
    run: async () => {
      // Both sides of the difference have run the same code once.
      for (const { key, bytes } of stored) model.decode(key, bytes)
      const cache = new ProfileCache(Infinity, Infinity)
      const before = await heapBytes(collect)
      for (const { key, bytes } of stored) cache.set(key, model.decode(key, bytes))
      const bytesPerProfile = ((await heapBytes(collect)) - before) / cache.size
      if (bytesPerProfile <= 0) throw new Error(`${cache.size} profiles cannot take ${bytesPerProfile} bytes each`)
      return { profiles: cache.size, bytesPerProfile }
    },
    close: () => Promise.resolve(),
  }
}

/** `mr:{shop:3}:p:u1` to `u1`, a string of its own. */
function keyOf(name: string): string {
  return Buffer.from(name.slice(name.indexOf(':p:') + ':p:'.length)).toString()
}

/** Of what is still in use. What a collection finds unused outside the heap is given back in a later turn. */
async function heapBytes(collect: () => void): Promise<number> {
  let least = Infinity
  for (let falls = true; falls;) {
    collect()
    await sleep(settleMs)
    const { heapUsed, external } = process.memoryUsage()
    falls = heapUsed + external < least - settledBytes
    least = Math.min(least, heapUsed + external)
  }
  return least
}

function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
