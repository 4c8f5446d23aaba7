/** The three ceilings of a pipeline on the events of a backlog, and how far a measured drain is from them. */
import { join } from 'node:path'
import type { Backlog } from '../harness/backlog.js'
import type { Measurement } from '../harness/meter.js'
import type { Rig } from '../harness/rig.js'
import { rateInSeries } from '../harness/statistics.js'
import { readRecording, shapeOf, type CommitShape } from './recording.js'
import { measureTask, runTask } from './run-task.js'
import type { Job } from './task.js'

export const ceilingNames = ['reader', 'commit', 'fold'] as const

export type Ceilings = Readonly<Record<(typeof ceilingNames)[number], Measurement>>

/** What the ceilings repeat. */
export interface Recorded {
  readonly job: Job
  readonly shape: CommitShape
}

/** Runs the engine once with a recorder. The state must be empty, and is not afterwards. */
export async function recordRun(rig: Rig, { counts, lastSeqs, events }: Backlog): Promise<Recorded> {
  const recording = join(rig.servers.folder, 'commits')
  const job: Job = { configFile: rig.configFile, recording, counts, lastSeqs }
  await runTask('record', job)
  return { job, shape: shapeOf(readRecording(recording), events) }
}

/** Each in a fresh process. Empties the state before, and leaves something there. */
export async function measureCeilings(rig: Rig, { job }: Recorded): Promise<Ceilings> {
  const reader = await measureTask(rig, 'reader', job)
  await rig.reset()
  const commit = await measureTask(rig, 'commit', job)
  const fold = await measureTask(rig, 'fold', job)
  return { reader, commit, fold }
}

/** The drain's rate over 1 / (1/reader + 1/commit + 1/fold): what the three would reach one after the other. */
export function efficiencyOf(drained: Measurement, ceilings: Ceilings): number {
  return drained.eventsPerSecond / rateInSeries(ceilingNames.map(name => ceilings[name].eventsPerSecond))
}

/** The same question asked of processor time, which a busy machine changes less. */
export function cpuEfficiencyOf(drained: Measurement, ceilings: Ceilings): number {
  const parts = ceilingNames.reduce((sum, name) => sum + ceilings[name].cpuUsPerEvent.engine, 0)
  return parts / drained.cpuUsPerEvent.engine
}
