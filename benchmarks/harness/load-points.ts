/** Points of a latency curve: what the same load showed in several rounds, and how two contenders compare where both bore it. */
import type { LoadResult } from './open-loop.js'
import type { Round } from './rounds.js'
import { ratioOf, rounded, spreadOf, type Ratio, type Spread } from './statistics.js'

export const shares = ['p50', 'p99', 'p999'] as const
export type Share = (typeof shares)[number]

export interface LoadPoint {
  /** Events a second. */
  readonly rate: number
  /** How often it was tried, and how often it was sustained and worked off: only those runs count. */
  readonly rounds: number
  readonly sustainedRounds: number
  /** Milliseconds; absent when most rounds were not sustained, or had no triggers. */
  readonly brokerToTriggerMs: Readonly<Record<Share, Spread>> | undefined
  readonly dueToTriggerMs: Readonly<Record<Share, Spread>> | undefined
  /** Microseconds for one event, medians; absent when no round counts. */
  readonly cpuUsPerEvent: LoadResult['measurement']['cpuUsPerEvent'] | undefined
  /** Medians, as the following. */
  readonly rssMb: number | undefined
  /** All but one in a hundred events were sent at most so late. */
  readonly sendLagP99Ms: number | undefined
  /** Triggers of all rounds. */
  readonly triggers: number
}

/** Lag did not grow, and nothing was left over. */
export function isBorne({ isSustained, isFinished }: LoadResult): boolean {
  return isSustained && isFinished
}

/** A point for each rate, in the order in which they come. */
export function pointsOf(runs: readonly LoadResult[]): LoadPoint[] {
  const rates = [...new Set(runs.map(({ rate }) => rate))].sort((a, b) => a - b)
  return rates.map(rate => pointOf(runs.filter(run => run.rate === rate)))
}

function pointOf(runs: readonly LoadResult[]): LoadPoint {
  const borne = runs.filter(isBorne)
  const latencies = borne.flatMap(({ latency }) => latency ?? [])
  const isShown = borne.length > runs.length / 2 && latencies.length > 0
  const spreads = (of: 'brokerToTriggerMs' | 'dueToTriggerMs') =>
    isShown ? byShare(share => spreadOf(latencies.map(latency => latency[of][share]))) : undefined
  return {
    rate: runs[0]!.rate,
    rounds: runs.length,
    sustainedRounds: borne.length,
    brokerToTriggerMs: spreads('brokerToTriggerMs'),
    dueToTriggerMs: spreads('dueToTriggerMs'),
    cpuUsPerEvent: cpuOf(borne),
    rssMb: medianOf(borne.map(({ measurement }) => measurement.rssMb)),
    sendLagP99Ms: medianOf(borne.flatMap(({ sendLagMs }) => sendLagMs?.p99 ?? [])),
    triggers: latencies.reduce((sum, { brokerToTriggerMs }) => sum + brokerToTriggerMs.count, 0),
  }
}

function cpuOf(runs: readonly LoadResult[]): LoadPoint['cpuUsPerEvent'] {
  const median = (role: keyof NonNullable<LoadPoint['cpuUsPerEvent']>) =>
    medianOf(runs.map(({ measurement }) => measurement.cpuUsPerEvent[role])) ?? 0
  if (runs.length === 0) return undefined
  return { engine: median('engine'), nats: median('nats'), redis: median('redis'), generator: median('generator') }
}

function medianOf(samples: readonly number[]): number | undefined {
  return samples.length === 0 ? undefined : spreadOf(samples).median
}

export function byShare<Value>(of: (share: Share) => Value): Readonly<Record<Share, Value>> {
  return { p50: of('p50'), p99: of('p99'), p999: of('p999') }
}

export interface LatencyRatio {
  readonly rate: number
  /** Time of the one over that of the other, broker to trigger: below 1 the first is sooner. */
  readonly times: Readonly<Record<Share, Ratio>>
}

/** At each rate that both bore in a round: the time of `one` over that of `other`, taken within that round. */
export function latencyRatios(
  rounds: readonly Pick<Round<readonly LoadResult[]>, 'results'>[],
  one: string,
  other: string,
): LatencyRatio[] {
  const pairs = new Map<number, (readonly [LoadResult, LoadResult])[]>()
  for (const { results } of rounds) {
    for (const mine of results.get(one) ?? []) {
      const theirs = results.get(other)?.find(({ rate }) => rate === mine.rate)
      if (theirs === undefined || ![mine, theirs].every(run => isBorne(run) && run.latency !== undefined)) continue
      pairs.set(mine.rate, [...(pairs.get(mine.rate) ?? []), [mine, theirs]])
    }
  }
  const ms = (run: LoadResult, share: Share) => run.latency!.brokerToTriggerMs[share]
  return [...pairs].map(([rate, found]) => ({
    rate,
    times: byShare(share => ratioOf(found.map(([mine, theirs]) => [ms(mine, share), ms(theirs, share)]))),
  }))
}

/** For programs; a point without a latency is no point. */
export function pointJson({ rate, brokerToTriggerMs, dueToTriggerMs, ...point }: LoadPoint) {
  const { rounds, sustainedRounds, cpuUsPerEvent, rssMb, sendLagP99Ms, triggers } = point
  const medians = (spreads: typeof brokerToTriggerMs) => spreads && byShare(share => rounded(spreads[share].median, 3))
  const ranges = (spreads: typeof brokerToTriggerMs) =>
    spreads && byShare(share => [spreads[share].least, spreads[share].most].map(ms => rounded(ms, 3)))
  return {
    rate,
    rounds,
    sustainedRounds,
    latencyMs: medians(brokerToTriggerMs),
    latencyRangeMs: ranges(brokerToTriggerMs),
    dueToTriggerMs: medians(dueToTriggerMs),
    triggers,
    sendLagP99Ms: sendLagP99Ms && rounded(sendLagP99Ms, 3),
    cpuUsPerEvent: cpuUsPerEvent && cpuJson(cpuUsPerEvent),
    rssMb: rssMb && rounded(rssMb, 1),
  }
}

/** `sum` is without the generator, which is not part of the work. */
function cpuJson({ engine, nats, redis, generator }: NonNullable<LoadPoint['cpuUsPerEvent']>): object {
  const us = { sum: engine + nats + redis, engine, nats, redis, generator }
  return Object.fromEntries(Object.entries(us).map(([role, value]) => [role, rounded(value, 2)]))
}
