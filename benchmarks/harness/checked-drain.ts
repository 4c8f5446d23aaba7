/** Millrace works a workload's backlog off, and everything that it makes of it is checked. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender, Entrant } from '../contenders/contender.js'
import type { BenchOptions } from '../question.js'
import type { CheckedWorkload } from '../workloads/outcome.js'
import { publishBacklog } from './backlog.js'
import { checkOutcome, inOneSentence } from './check-outcome.js'
import { Meter, type Measurement } from './meter.js'
import { Rig } from './rig.js'

/** Asking costs the engine something: often where it decides, seldom in between. */
const [leastPauseMs, mostPauseMs] = [20, 250]
const stalledAfterMs = 30_000

export interface DrainOptions extends Pick<BenchOptions, 'events' | 'rounds' | 'seed' | 'users'> {
  /** So many events are worked off before the measurement begins. */
  readonly after?: number
}

export interface CheckedDrain extends Measurement {
  /** Measured over so many events. */
  readonly events: number
  /** Of the whole round, lease renewals included. */
  readonly commits: number
}

export interface CheckedDrains {
  readonly workload: string
  readonly events: number
  readonly payloadBytes: number
  readonly drains: readonly CheckedDrain[]
  readonly profiles: number
  readonly triggers: number
  readonly versions: string
  /** What was wrong with the results, a sentence. */
  readonly failure: string | undefined
}

/** As many rounds as asked for, each on an empty state. `contender` is Millrace, with what it needs. */
export async function drainChecked(
  workload: CheckedWorkload,
  contender: Contender,
  { after = 0, rounds, ...load }: DrainOptions,
  say: (line: string) => void,
): Promise<CheckedDrains> {
  const tally = workload.tally()
  const rig = await Rig.start({ ...workload, tally: () => tally }, say)
  try {
    say(`${workload.name}: publishing ${load.events} events`)
    const { events, payloadBytes } = await publishBacklog(rig, load)
    const outcome = tally.outcome()
    const drains: CheckedDrain[] = []
    const problems: string[] = []
    for (let round = 1; round <= rounds; round++) {
      say(`${workload.name}: round ${round} of ${rounds}`)
      await rig.reset()
      drains.push(await drainOnce(rig, contender, events, after))
      say(`${workload.name}: checking ${outcome.profiles.size} profiles`)
      problems.push(...(await checkOutcome(rig, outcome)))
    }
    return {
      workload: workload.name,
      events,
      payloadBytes,
      drains,
      profiles: outcome.profiles.size,
      triggers: [...outcome.triggers.values()].reduce((sum, count) => sum + count, 0),
      versions: rig.versions,
      failure: inOneSentence(problems),
    }
  } finally {
    await rig.stop()
  }
}

async function drainOnce(rig: Rig, contender: Contender, events: number, after: number): Promise<CheckedDrain> {
  const entrant = await contender.start(await rig.site(contender.name))
  try {
    const before = await doneAtLeast(entrant, after + 1)
    if (before >= events) throw new Error(`${events} events are too few to measure: all were done at the first look`)
    const meter = new Meter(rig.processes(...entrant.pids))
    await doneAtLeast(entrant, events)
    return { ...meter.read(events - before), events: events - before, commits: await countCommits(rig) }
  } finally {
    await entrant.stop()
  }
}

async function doneAtLeast(entrant: Entrant, events: number): Promise<number> {
  const startedAt = performance.now()
  let [first, done, movedAt] = [0, 0, startedAt]
  for (;;) {
    entrant.check()
    const now = await entrant.done()
    const at = performance.now()
    if (now >= events) return now
    first ||= now
    if (now > done) [done, movedAt] = [now, at]
    if (at - movedAt > stalledAfterMs) throw new Error(`stands still at event ${now} of ${events}`)
    // Half of what the rest will take.
    const pauseMs = done > first ? ((events - done) * (at - startedAt)) / (done - first) / 2 : leastPauseMs
    await sleep(Math.min(mostPauseMs, Math.max(leastPauseMs, pauseMs)))
  }
}

async function countCommits({ store, pipeline }: Rig): Promise<number> {
  const partitions = Array.from({ length: pipeline.partitions }, (_, partition) => store.readMeta(partition))
  return (await Promise.all(partitions)).reduce((sum, meta) => sum + (meta?.renewals ?? 0), 0)
}
