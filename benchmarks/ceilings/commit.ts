/**
 * How fast can this process and Redis commit what the pipeline committed, when nothing has to be computed?
 *
 * Load: the commits of a recorded run, the same bytes in the same portions, all partitions at once and one commit in flight
 * for each, as the engine does it. Not in it: reading profiles that are not in memory.
 */
import { loadConfig } from '../../engine/config/config.js'
import { loadPipeline } from '../../engine/load-pipeline.js'
import { Committer } from '../../engine/partition/committer.js'
import type { ProfileStore } from '../../engine/store.js'
import { RedisStore } from '../../profiles/redis-store.js'
import { readRecording, type Writes } from './recording.js'
import type { Prepare } from './task.js'

export const prepareCommits: Prepare = async ({ configFile, recording, counts }) => {
  const config = loadConfig({ file: configFile, env: {} })
  const { pipeline } = await loadPipeline(config.pipeline)
  const store = new RedisStore(config.redis, pipeline.name)
  await store.verify()
  const byPartition = counts.map((): Writes[] => [])
  for (const { partition, writes } of readRecording(recording)) byPartition[partition]!.push(writes)
  const committers = await Promise.all(counts.map((_, partition) => openCommitter(store, partition)))
  const { signal } = new AbortController()
  return {
    run: async () => {
      const repeat = async (committer: Committer, partition: number) => {
        for (const writes of byPartition[partition]!) await committer.commit(writes, signal)
      }
      await Promise.all(committers.map(repeat))
    },
    close: () => store.close(),
  }
}

/** Owner of a partition that has no state yet. A commit that fails ends the measurement. */
export async function openCommitter(store: ProfileStore, partition: number): Promise<Committer> {
  const claim = { replica: 'bench', id: 'bench', stateId: 'bench', expected: '' }
  const meta = (await store.acquire(partition, claim))!
  const fail = (error: Error): never => {
    throw error
  }
  const observer = { committed: () => undefined, commitFailed: fail, renewalFailed: fail }
  return new Committer(store, partition, meta.token, meta, observer)
}
