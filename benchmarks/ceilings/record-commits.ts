/** The engine in this process, with a store that also writes down every commit. Not a measurement: the real one has no recorder. */
import { systemClock } from '../../engine/clock.js'
import { loadConfig } from '../../engine/config/config.js'
import { Engine } from '../../engine/engine.js'
import { loadPipeline } from '../../engine/load-pipeline.js'
import { createLog } from '../../engine/log.js'
import { Metrics } from '../../engine/metrics/metrics.js'
import type { Commit, CommitOutcome } from '../../engine/store.js'
import { RedisStore } from '../../profiles/redis-store.js'
import { RecordingWriter } from './recording.js'
import type { Prepare } from './task.js'

class RecordingStore extends RedisStore {
  recorder: RecordingWriter | undefined
  /** Told after each commit. */
  committed: (partition: number, position: number) => void = () => undefined

  override async commit(partition: number, commit: Commit): Promise<CommitOutcome> {
    const outcome = await super.commit(partition, commit)
    if (outcome !== 'ok') throw new Error(`a commit of partition ${partition} is ${outcome}`)
    this.recorder?.write(partition, commit)
    this.committed(partition, commit.meta.position ?? 0)
    return outcome
  }
}

export const prepareRecording: Prepare = async ({ configFile, recording, lastSeqs }) => {
  const config = loadConfig({ file: configFile, env: {} })
  const { pipeline, folder } = await loadPipeline(config.pipeline)
  const store = new RecordingStore(config.redis, pipeline.name)
  store.recorder = new RecordingWriter(recording)
  const metrics = new Metrics(pipeline.name, 1)
  const options = { config, pipeline, folder, store, metrics, log: createLog('warn'), clock: systemClock }
  return {
    run: async () => {
      const missing = new Set(lastSeqs.keys())
      const done = new Promise<void>(resolve => {
        store.committed = (partition, position) => {
          if (position >= lastSeqs[partition]!) missing.delete(partition)
          if (missing.size === 0) resolve()
        }
      })
      const engine = await Engine.start(options, new AbortController().signal)
      await done
      await engine.stop(10_000)
      store.recorder?.close()
    },
    close: () => Promise.resolve(),
  }
}
