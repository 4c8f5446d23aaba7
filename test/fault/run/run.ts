/**
 * One run of the fault suite: load, faults, healing, and then the oracle. What went wrong is in `violations`; an error is
 * thrown only when the run itself could not be made.
 */
import { seeded } from '../../../examples/shop/random.js'
import { eventually } from '../../support/eventually.js'
import type { Fault } from '../nemesis/fault.js'
import { Nemesis, type Occurrence } from '../nemesis/nemesis.js'
import type { Editions } from '../oracle/expectation.js'
import { judge, type Judgement } from '../oracle/oracle.js'
import { type Violation, Violations } from '../oracle/violations.js'
import { readLogs, type Halts } from '../rig/logs.js'
import { Monitor } from '../rig/monitor.js'
import { mostRepeated } from '../rig/repeated-work.js'
import { Rig, type RigOptions } from '../rig/rig.js'
import { Scope } from '../rig/scope.js'
import { untilAttached, untilCaughtUp, untilShared, untilStill } from '../rig/stillness.js'
import { Generator, markerOf } from '../workload/generator.js'
import { Ledger } from '../workload/ledger.js'
import { LoadPublisher } from '../workload/publisher.js'

export interface RunOptions extends RigOptions {
  readonly seed: number
  /** Events a second. */
  readonly rate: number
  readonly seconds: number
  readonly faults: readonly Fault[]
  /** Every fault once, alone and with recovery after it, before `seconds` of random ones. */
  readonly every?: boolean
  /** Between the beginnings of two faults. */
  readonly everyMs?: readonly [least: number, most: number]
  /** How many people there are, besides the one who is always there. */
  readonly users?: number
  readonly say: (line: string) => void
}

export interface RunResult {
  readonly seed: number
  readonly natsVersion: string
  readonly redisVersion: string
  readonly events: number
  readonly applied: number
  readonly profiles: number
  readonly triggers: number
  readonly effects: number
  /** How often each fault happened. */
  readonly faults: Readonly<Record<string, number>>
  readonly violations: readonly Violation[]
  /**
   * Longest time from storing an event to storing the trigger it caused: no partition with waiting events stood still longer.
   * Counts what the faults themselves took, and events that waited when the first one began or came later.
   */
  readonly maxGapMs: number
  /** The same before the first fault: processes that have just started take the whole load at once. */
  readonly startGapMs: number
  /** The longest such time by fault, of events that waited while it lasted. */
  readonly gapsMs: Readonly<Record<string, number>>
  readonly halts: Halts
  /**
   * Events that an owner worked on although another process had before it, of the hand-over with the most. Not known when a process
   * was killed.
   */
  readonly mostRepeated: number | undefined
  /** From the end of load and faults to when every event was processed. */
  readonly recoveredMs: number
  /** The most memory that any replica ever had. */
  readonly rssMb: number
  /** Logs and configurations are kept here after a violation. */
  readonly folder: string
}

/** Bound of the time to process everything once load and faults are over. */
export const recoveryWithinMs = 60_000
/** What time alone brings and the trimming of the outbox take seconds. */
const stillWithinMs = 60_000

/** Everything is stopped when this resolves; the folder with the logs stays when an invariant was broken. */
export async function runChaos(options: RunOptions): Promise<RunResult> {
  const scope = new Scope()
  const violations = new Violations()
  try {
    const rig = await Rig.start(scope, options, () => violations.isEmpty)
    options.say(`seed ${options.seed}, nats-server ${rig.natsVersion}, redis-server ${rig.redisVersion}, ${rig.folder}`)
    return await runOn(rig, options, violations, scope)
  } catch (error) {
    // Whoever reads the error needs the logs.
    violations.add('not_recovered', messageOf(error))
    throw error
  } finally {
    await scope.close()
  }
}

async function runOn(rig: Rig, options: RunOptions, violations: Violations, scope: Scope): Promise<RunResult> {
  const { seed, rate, seconds, faults, everyMs, users = 2_000, say } = options
  const { natsVersion } = rig
  const marker = markerOf(seed)
  const ledger = new Ledger(marker)
  const publisher = new LoadPublisher(rig.connection, new Generator({ seed, marker, users }), ledger)
  scope.teardown(() => publisher.close())
  await rig.startReplicas()
  await untilAttached(rig)
  // What is measured is what faults do, not how the first partitions are shared.
  await untilShared(rig)
  const monitor = new Monitor(rig, violations)
  const nemesis = new Nemesis({ rig, monitor, random: seeded(seed), faults, everyMs, say })
  publisher.start(rate)
  let overAt = performance.now()
  try {
    if (options.every === true) await nemesis.each(name => recovered(rig, name, violations, say))
    await nemesis.roam(seconds * 1_000)
    publisher.pause()
    overAt = performance.now()
    await eventually('every event is acknowledged', () => publisher.waiting === 0, { withinMs: recoveryWithinMs })
    await untilCaughtUp(rig, recoveryWithinMs)
  } catch (error) {
    publisher.pause()
    violations.add('not_recovered', messageOf(error))
  }
  let judgement: Judgement | undefined
  const recoveredMs = Math.round(performance.now() - overAt)
  if (violations.list.every(({ invariant }) => invariant !== 'not_recovered')) {
    say(`every event is processed after ${recoveredMs} ms`)
    judgement = await judgeRun(rig, ledger, violations)
  }
  await monitor.stop()
  await Promise.all(rig.replicas.map(replica => replica.stop()))
  const repeated = await mostRepeated(rig.replicas.flatMap(({ notesFiles }) => notesFiles))
  const halts = await readLogs(rig, marker, violations)
  for (const [reason, count] of Object.entries(halts)) violations.add('halt_unexpected', `${reason}, ${count} times`)
  const { events = 0, applied = 0, profiles = 0, published, delays = [] } = judgement ?? {}
  const total = Object.values(published ?? {}).reduce((sum, count) => sum + count, 0)
  const firstAt = Math.min(...nemesis.occurrences.map(({ from }) => from))
  return {
    seed,
    natsVersion: rig.natsVersion === natsVersion ? natsVersion : `${natsVersion}, then ${rig.natsVersion}`,
    redisVersion: rig.redisVersion,
    events,
    applied,
    profiles,
    triggers: published?.triggers ?? 0,
    effects: total,
    faults: nemesis.counts,
    violations: violations.list,
    maxGapMs: longest(delays.filter(delay => delay.from + delay.ms >= firstAt)),
    startGapMs: longest(delays.filter(delay => delay.from + delay.ms < firstAt)),
    gapsMs: gapsOf(nemesis.occurrences, delays),
    halts,
    mostRepeated: repeated,
    recoveredMs,
    rssMb: monitor.rssMb,
    folder: rig.folder,
  }
}

async function judgeRun(rig: Rig, ledger: Ledger, violations: Violations): Promise<Judgement | undefined> {
  try {
    await untilStill(rig, stillWithinMs)
  } catch (error) {
    violations.add('not_recovered', messageOf(error))
    return undefined
  }
  const audit = ledger.audit(violations)
  const editions = await editionsOf(rig)
  const { connection, client: redis } = rig
  const pipeline = await rig.pipeline()
  const onEvent = audit.take
  const judgement = await judge({ connection, redis, pipeline, editions, onEvent }, violations)
  audit.finish()
  return judgement
}

/** Where the second edition has taken over, by what the meta records. */
async function editionsOf(rig: Rig): Promise<(partition: number) => Editions> {
  const first = { from: -1, edition: 1 } as const
  if (rig.edition === 1) return () => [first]
  const metas = await rig.metas()
  return partition => [first, { from: Number(metas[partition]!['definition_from']), edition: 2 }]
}

async function recovered(rig: Rig, name: string, violations: Violations, say: (line: string) => void): Promise<void> {
  try {
    const ms = await untilCaughtUp(rig, recoveryWithinMs)
    say(`${name}: caught up after ${Math.round(ms)} ms`)
  } catch (error) {
    violations.add('not_recovered', `${name}: ${messageOf(error)}`)
  }
}

function gapsOf(occurrences: readonly Occurrence[], delays: Judgement['delays']): Record<string, number> {
  const gaps: Record<string, number> = {}
  for (const { name, from, to } of occurrences) {
    const during = delays.filter(delay => delay.from <= to && delay.from + delay.ms >= from)
    gaps[name] = Math.max(gaps[name] ?? 0, longest(during))
  }
  return gaps
}

/** Milliseconds; 0 when there are none. */
function longest(delays: Judgement['delays']): number {
  return Math.round(delays.reduce((most, { ms }) => Math.max(most, ms), 0))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
