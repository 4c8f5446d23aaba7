/**
 * The oracle: reads every event back from the broker, works out what must have come of them, and holds that against what did.
 * It shares no code with the engine. One partition after the other, so that memory does not grow with the stream.
 *
 *   oracle-read     what is stored, through plain NATS requests
 *   oracle-judge    what must become of each event
 *   oracle-shopper  what must become of each person
 *   oracle-compare  the differences
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NatsConnection } from 'nats'
import { readSchemas } from './avro.js'
import { compareDeadLetters, compareEffects, compareProfile, Findings, type ServedProfile } from './oracle-compare.js'
import { type Expectation, judge, type ShopRules } from './oracle-judge.js'
import { type StoredMessage, StreamReader } from './oracle-read.js'
import type { Effect, Shopper } from './oracle-shopper.js'

export type { ServedProfile } from './oracle-compare.js'

export interface OracleOptions {
  readonly connection: NatsConnection
  readonly partitions: number
  /** Folder of the definition, with its schemas and its catalogue. */
  readonly folder: string
  /** The profile that is served for a key; may be called for several keys at once. */
  readonly readProfile: (key: string) => Promise<ServedProfile | undefined>
  /** Latencies count from this moment on, epoch milliseconds: a cold process is not what is asked about. */
  readonly latencyFrom?: number
  /** Told after each partition. */
  readonly onProgress?: (share: number) => void
}

export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

export interface Verdict {
  /** What had to happen, by the oracle's own reckoning. */
  readonly events: number
  readonly applied: number
  readonly duplicates: number
  /** By stage and reason, `decode_avro truncated`. */
  readonly deadLetters: Readonly<Record<string, number>>
  readonly profiles: number
  /** Profiles that are in it in the end, by segment. */
  readonly segments: Readonly<Record<string, number>>
  /** `entered` and `exited`, by segment and change, `vip entered`. */
  readonly segmentChanges: Readonly<Record<string, number>>
  readonly triggers: Readonly<Record<string, number>>
  /** By trigger and reason, `cart_abandoned cap`. */
  readonly suppressed: Readonly<Record<string, number>>
  /** From storing an event to storing the trigger that it caused, milliseconds; triggers by time alone do not count. */
  readonly latencyMs: Latency | undefined
  readonly isClean: boolean
  readonly mismatches: number
  readonly missingTriggers: number
  readonly unexpectedTriggers: number
  readonly repeatedTriggers: number
  readonly orderViolations: number
  /** The first differences, in words. */
  readonly details: readonly string[]
}

/** Profiles asked for at the same time. */
const readsAtOnce = 32

export async function consult(options: OracleOptions): Promise<Verdict> {
  const { partitions, readProfile, onProgress } = options
  const reader = await StreamReader.open(options.connection)
  const rules = await readRules(options.folder, partitions)
  const findings = new Findings()
  const tally = new Tally()
  for (let partition = 0; partition < partitions; partition++) {
    const events = await reader.read('EVENTS', `events.${partition}.*.*`)
    const expected = judge(partition, events, rules)
    const triggers = await reader.read('TRIGGERS', `triggers.*.${partition}`)
    const ofLane = (lane: Effect['lane']) => expected.effects.filter(effect => effect.lane === lane)
    const pairs = compareEffects('triggers', ofLane('triggers'), triggers, partition, findings)
    for (const lane of ['suppressed', 'segments'] as const) {
      const messages = await reader.read(lane.toUpperCase(), `${lane}.*.*.${partition}`)
      compareEffects(lane, ofLane(lane), messages, partition, findings)
    }
    const deadLetters = await reader.read('DEADLETTERS', `deadletters.*.*.${partition}`)
    compareDeadLetters(expected.deadLetters, deadLetters, partition, findings)
    await compareProfiles(expected.shoppers, readProfile, findings)
    tally.add(events.length, expected)
    tally.addLatencies(pairs, events, options.latencyFrom ?? 0)
    onProgress?.((partition + 1) / partitions)
  }
  const stored = await reader.count('EVENTS')
  if (stored !== tally.events) {
    findings.note('mismatches', `${stored - tally.events} events are stored under subjects of no partition`)
  }
  const { details, isClean, mismatches, missingTriggers, unexpectedTriggers, repeatedTriggers, orderViolations } =
    findings
  return {
    ...tally.result(),
    ...{ isClean, mismatches, missingTriggers, unexpectedTriggers, repeatedTriggers, orderViolations, details },
  }
}

async function compareProfiles(
  shoppers: readonly Shopper[],
  readProfile: OracleOptions['readProfile'],
  findings: Findings,
): Promise<void> {
  for (let from = 0; from < shoppers.length; from += readsAtOnce) {
    await Promise.all(
      shoppers.slice(from, from + readsAtOnce).map(async shopper => {
        const before = Date.now()
        const served = await readProfile(shopper.key)
        compareProfile(shopper, served, [before, Date.now()], findings)
      }),
    )
  }
}

class Tally {
  events = 0
  #applied = 0
  #duplicates = 0
  #profiles = 0
  readonly #deadLetters: Record<string, number> = {}
  readonly #segments: Record<string, number> = {}
  readonly #effects: Record<Effect['lane'], Record<string, number>> = { triggers: {}, suppressed: {}, segments: {} }
  readonly #latenciesMs: number[] = []

  add(events: number, { applied, duplicates, deadLetters, effects, shoppers }: Expectation): void {
    this.events += events
    this.#applied += applied
    this.#duplicates += duplicates
    this.#profiles += shoppers.length
    for (const { stage, reason } of deadLetters) count(this.#deadLetters, `${stage} ${reason}`)
    for (const shopper of shoppers) for (const name of Object.keys(shopper.segments())) count(this.#segments, name)
    for (const { lane, name, detail } of effects) {
      count(this.#effects[lane], detail === undefined ? name : `${name} ${detail}`)
    }
  }

  addLatencies(
    pairs: readonly { effect: Effect; message: StoredMessage }[],
    events: readonly StoredMessage[],
    from: number,
  ): void {
    const causes = new Map(events.map(event => [event.seq, event]))
    for (const { effect, message } of pairs) {
      const cause = causes.get(effect.seq)
      if (!effect.isDirect || cause === undefined || cause.brokerMs < from) continue
      this.#latenciesMs.push(message.brokerMs - cause.brokerMs + message.brokerFraction - cause.brokerFraction)
    }
  }

  result() {
    return {
      events: this.events,
      applied: this.#applied,
      duplicates: this.#duplicates,
      deadLetters: this.#deadLetters,
      profiles: this.#profiles,
      segments: this.#segments,
      segmentChanges: this.#effects.segments,
      triggers: this.#effects.triggers,
      suppressed: this.#effects.suppressed,
      latencyMs: latency(this.#latenciesMs),
    }
  }
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}

/** Nearest-rank percentiles. */
function latency(values: readonly number[]): Latency | undefined {
  if (values.length === 0) return undefined
  const sorted = Float64Array.from(values).sort()
  const rank = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1]! * 1000) / 1000
  return { p50: rank(0.5), p99: rank(0.99), p999: rank(0.999) }
}

async function readRules(folder: string, partitions: number): Promise<ShopRules> {
  const lines = (await readFile(join(folder, 'catalogue.csv'), 'utf8')).trim().split(/\r?\n/).slice(1)
  const categories = new Map(lines.map(line => line.split(',', 2) as [string, string]))
  return { schemas: await readSchemas(join(folder, 'schemas')), categories, partitions }
}
