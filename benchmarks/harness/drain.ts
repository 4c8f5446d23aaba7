/** One round of the whole pipeline: the engine, started on an empty state, works off the backlog. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Backlog } from './backlog.js'
import { EngineProcess } from './engine-process.js'
import { Meter, type Measurement } from './meter.js'
import type { Rig } from './rig.js'

/** Two reads of Redis per partition and look: seldom enough not to show, often enough for a run of seconds. */
const lookEveryMs = 40
const stalledAfterMs = 30_000

export interface Drained extends Measurement {
  /** Commits, lease renewals included. */
  readonly commits: number
}

/**
 * Measures from the first commit that is seen, so that start and attach are left out, to when every event is committed and
 * every effect acknowledged by the broker. Warm-up of the engine's code is in it.
 */
export async function drain(rig: Rig, backlog: Backlog, cpuProf?: string): Promise<Drained> {
  const engine = EngineProcess.spawn(rig, cpuProf)
  try {
    let meter: Meter | undefined
    let before = 0
    let done = 0
    let movedAt = performance.now()
    while (done < backlog.events) {
      engine.check()
      const now = await eventsDone(rig, backlog)
      if (now > done) movedAt = performance.now()
      if (performance.now() - movedAt > stalledAfterMs)
        throw new Error(`no commit for ${stalledAfterMs} ms at event ${now}`)
      done = now
      if (meter === undefined && done > 0) {
        meter = new Meter(rig.processes(engine.pid))
        before = done
      }
      if (done < backlog.events) await sleep(lookEveryMs)
    }
    await engine.published()
    return { ...meter!.read(backlog.events - before), commits: await commitCount(rig) }
  } finally {
    await engine.stop()
  }
}

async function eventsDone(rig: Rig, backlog: Backlog): Promise<number> {
  const metas = await readMetas(rig)
  return metas.reduce((sum, meta, partition) => sum + backlog.upTo(partition, meta?.position ?? 0), 0)
}

async function commitCount(rig: Rig): Promise<number> {
  return (await readMetas(rig)).reduce((sum, meta) => sum + (meta?.renewals ?? 0), 0)
}

function readMetas(rig: Rig) {
  return Promise.all(Array.from({ length: rig.pipeline.partitions }, (_, partition) => rig.store.readMeta(partition)))
}
