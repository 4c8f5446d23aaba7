/**
 * How long does it take from event to trigger, at which load, and how much load can be sustained?
 *
 * Load: open loop. Events of the personalization workload, in four partitions, are encoded before a run and sent by schedule from
 * a process of their own, whether or not earlier ones are through; every publish is acknowledged. Each contender is first asked for
 * its sustained maximum: the highest rate at which its lag does not grow over the measured window after a warm-up. Then come
 * interleaved rounds, in which each starts on an empty state, is warmed up, and bears 1,000, 5,000 and 10,000 events/s and half of
 * that maximum, or `--rate` alone. Of its peers the fastest of each kind are asked. Printed are the medians of the rounds, with their
 * ranges, and the time of Millrace over that of each peer within a round.
 *
 * "Broker to trigger" is from when the broker stored the event to when it stored the trigger, both by its own clock. "Due to
 * trigger" begins when the event was due by the schedule, so a late sender and a slow broker count. Percentiles come from an
 * HDR histogram of three digits.
 *
 * Not in it: the way from the broker to a subscriber; triggers that wait by definition (`cart_abandoned`); a cold start;
 * networks. Everybody shares the machine's cores, the sender too.
 */
import { table } from '../../engine/cli/terminal.js'
import type { Contender } from '../contenders/contender.js'
import { fastest } from '../contenders/index.js'
import { millraceWith } from '../contenders/millrace.js'
import { attempt, type Attempted } from '../harness/comparison.js'
import {
  byShare,
  latencyRatios,
  pointJson,
  pointsOf,
  shares,
  type LatencyRatio,
  type LoadPoint,
} from '../harness/load-points.js'
import { OpenLoop, type LoadResult } from '../harness/open-loop.js'
import { Rig } from '../harness/rig.js'
import { describeStolen, runRounds, type Rounds } from '../harness/rounds.js'
import { rounded, roundedRatio, type Ratio, type Spread } from '../harness/statistics.js'
import { sustainedRate, type SustainedRange } from '../harness/sustained.js'
import type { Answer, BenchOptions, Question } from '../question.js'
import { personalizationOnTwoCores } from '../workloads/personalization/workload.js'
import type { Workload } from '../workloads/workload.js'

/** Without the tally, which nobody asks. */
const { name, partitions, pipelineFile, waitingTriggers = [], messages } = personalizationOnTwoCores
const workload: Workload = { name, partitions, pipelineFile, waitingTriggers, messages }
const rates = [1_000, 5_000, 10_000]
/** `start` is not measured: code that has just been loaded is slow for some seconds. */
const full = {
  start: { rate: 5_000, warmUpSeconds: 0, seconds: 3 },
  warmUpSeconds: 1,
  search: { from: 16_000, most: 200_000, trials: 6, warmUpSeconds: 1, seconds: 2 },
}
const quick = {
  start: { rate: 5_000, warmUpSeconds: 0, seconds: 0.5 },
  warmUpSeconds: 0.5,
  search: { from: 16_000, most: 64_000, trials: 3, warmUpSeconds: 0.5, seconds: 1 },
}

/** What a contender showed. */
interface Standing extends Attempted {
  /** Absent when it was not looked for. */
  range?: SustainedRange
}

type Runs = Rounds<readonly LoadResult[]>

export const latency: Question = {
  name: 'latency',
  asks: 'How long from event to trigger, over load, and how much load can be sustained?',
  answer: async (options, say) => {
    const rig = await Rig.start(workload, say)
    const tell = (line: string) => say(`latency: ${line}`)
    try {
      // Millrace comes first in everything that follows.
      const standings: Standing[] = [millraceWith(options), ...fastest].map(contender => ({ contender }))
      for (const standing of standings) {
        await attempt(standing, tell, async () => {
          await standing.contender.prepare?.(await rig.site(standing.contender.name))
          if (options.rate === undefined) standing.range = await findSustained(rig, standing.contender, options, tell)
        })
      }
      const entrants = new Map(
        standings.map(standing => [
          standing.contender.name,
          async () => (await attempt(standing, tell, () => runsOf(rig, standing, options))) ?? [],
        ]),
      )
      const runs = await runRounds(entrants, { rounds: options.rounds, say: tell, name: 'load' })
      return answer(standings, runs, options, rig.versions)
    } finally {
      await rig.stop()
    }
  },
}

async function findSustained(
  rig: Rig,
  contender: Contender,
  options: BenchOptions,
  say: (line: string) => void,
): Promise<SustainedRange> {
  const { search } = options.quick ? quick : full
  const loop = await OpenLoop.start(rig, contender, options)
  const tryRate = async (rate: number) => {
    const { isSustained, isFinished, behindMs, measurement } = await loop.run({ ...search, rate, hasLatency: false })
    const doneRate = measurement.eventsPerSecond
    const behind = behindMs.map(ms => Math.round(ms)).join(' to ')
    const verdict = isSustained ? 'sustained' : `not sustained, ${Math.round(doneRate)} done`
    say(`${contender.name}, ${rate} events/s ${verdict}, ${behind} ms behind`)
    return { isSustained, isFinished, doneRate }
  }
  try {
    return await sustainedRate(tryRate, search)
  } finally {
    await loop.stop()
  }
}

/** Everything that is asked of a contender in a round, slowest first. */
async function runsOf(rig: Rig, { contender, range }: Standing, options: BenchOptions): Promise<LoadResult[]> {
  const { start, warmUpSeconds } = options.quick ? quick : full
  const loop = await OpenLoop.start(rig, contender, options)
  const runs: LoadResult[] = []
  try {
    await loop.run({ ...start, hasLatency: false })
    for (const rate of wantedRates(range, options).filter(rate => isBearable(rate, range))) {
      const run = await loop.run({ rate, warmUpSeconds, seconds: options.seconds })
      runs.push(run)
      if (!run.isFinished) break
    }
    return runs
  } finally {
    await loop.stop()
  }
}

function wantedRates(range: SustainedRange | undefined, { rate }: BenchOptions): number[] {
  if (range === undefined) return [rate!]
  const wanted = [...rates, Math.round(range.sustained / 2)].filter(wanted => wanted > 0)
  return [...new Set(wanted)].sort((a, b) => a - b)
}

function isBearable(rate: number, range: SustainedRange | undefined): boolean {
  return rate <= (range?.sustained ?? Infinity)
}

function answer(standings: readonly Standing[], runs: Runs, options: BenchOptions, versions: string): Answer {
  const [millrace, ...peers] = standings as [Standing, ...Standing[]]
  const found = standings.map(standing => {
    const own = runs.rounds.flatMap(({ results }) => results.get(standing.contender.name) ?? [])
    const beyond = wantedRates(standing.range, options).filter(rate => !isBearable(rate, standing.range))
    return { standing, points: pointsOf(own), beyond }
  })
  const ratios = peers.map(({ contender }) => ({
    contender,
    at: latencyRatios(runs.rounds, millrace.contender.name, contender.name),
  }))
  const rows = found.flatMap(({ standing: { contender, range }, points, beyond }) => [
    ...points.map(point => [contender.label, point.rate, ...figures(point)]),
    ...beyond.map(rate => [contender.label, rate, `not sustained, at most ${range?.sustained ?? 0}/s`]),
  ])
  const header = ['', 'events/s', 'p50 ms', 'p99', 'range', 'p99.9', 'range', 'due p50, p99, p99.9', 'CPU us per event']
  const ratioRows = ratios.flatMap(({ contender, at }) =>
    at.map(({ rate, times }) => [contender.label, rate, ...shares.map(share => ratioText(times[share]))]),
  )
  const maxima = standings.map(({ contender, range, failure }) => [
    contender.label,
    range?.sustained ?? (failure === undefined ? 'not asked' : `failed: ${failure}`),
    range?.notSustained ?? '',
  ])
  return {
    text: [
      `broker to trigger, ${runs.rounds.length} rounds of ${options.seconds} s, ${describeStolen(runs)}; ${versions}`,
      '',
      table(rows, header),
      ratioRows.length === 0
        ? ''
        : table(ratioRows, ["Millrace's time over that of", 'events/s', 'p50', 'p99', 'p99.9']),
      table(maxima, ['', 'sustained events/s', 'not any more']),
      '',
    ].join('\n'),
    json: {
      seconds: options.seconds,
      rounds: runs.rounds.length,
      stolenShare: runs.rounds.map(({ stolen }) => rounded(stolen, 4)),
      discardedRounds: runs.discarded.length,
      versions,
      contenders: Object.fromEntries(
        found.map(({ standing, points, beyond }) => [standing.contender.name, json(standing, points, beyond)]),
      ),
      latencyRatios: Object.fromEntries(ratios.map(({ contender, at }) => [contender.name, at.map(ratioJson)])),
    },
    failure: millrace.failure,
  }
}

function figures({ sustainedRounds, rounds, brokerToTriggerMs, dueToTriggerMs, cpuUsPerEvent }: LoadPoint): string[] {
  if (sustainedRounds <= rounds / 2) return [`not sustained in ${rounds - sustainedRounds} of ${rounds} rounds`]
  if (brokerToTriggerMs === undefined || dueToTriggerMs === undefined) return ['no triggers']
  const { p50, p99, p999 } = brokerToTriggerMs
  return [
    p50.median.toFixed(2),
    ...[p99, p999].flatMap(spread => [spread.median.toFixed(2), rangeText(spread)]),
    shares.map(share => dueToTriggerMs[share].median.toFixed(2)).join(', '),
    Object.entries(cpuUsPerEvent ?? {})
      .map(([role, us]) => `${role} ${us.toFixed(1)}`)
      .join(', '),
  ]
}

function rangeText({ least, most }: Spread): string {
  return `${least.toFixed(2)} to ${most.toFixed(2)}`
}

function ratioText({ median, low, high, confidence }: Ratio): string {
  // One round has no interval.
  return `${median.toFixed(2)}${confidence === 0 ? '' : ` (${low.toFixed(2)} to ${high.toFixed(2)})`}`
}

function json(
  { contender, range, failure }: Standing,
  points: readonly LoadPoint[],
  beyond: readonly number[],
): object {
  const { label, guarantee, lacks } = contender
  const shown = points.filter(({ brokerToTriggerMs }) => brokerToTriggerMs !== undefined)
  const others = points.filter(point => !shown.includes(point)).map(({ rate }) => rate)
  return {
    label,
    guarantee,
    lacks,
    sustainedEventsPerSecond: range?.sustained,
    notSustainedEventsPerSecond: range?.notSustained,
    notSustained: [...others, ...beyond],
    failure,
    points: shown.map(pointJson),
  }
}

function ratioJson({ rate, times }: LatencyRatio): object {
  return { rate, ...byShare(share => roundedRatio(times[share])) }
}
