/**
 * How long does it take from event to trigger, at which load, and how much load can be sustained?
 *
 * Load: open loop. Events of the personalization workload, in four partitions, are encoded before a run and sent by schedule from
 * a process of their own, whether or not earlier ones are through; every publish is acknowledged. Each contender is started on an
 * empty state and first asked for its sustained maximum: the highest rate at which its lag does not grow over the measured window after a
 * warm-up. Then follow 1,000, 5,000 and 10,000 events/s and half of that maximum, or `--rate` alone. Of its peers the
 * fastest of each kind are asked.
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
import { OpenLoop, type LoadResult } from '../harness/open-loop.js'
import { Rig } from '../harness/rig.js'
import { rounded } from '../harness/statistics.js'
import { sustainedRate, type SustainedRange } from '../harness/sustained.js'
import type { Answer, BenchOptions, Question } from '../question.js'
import { personalizationOnTwoCores } from '../workloads/personalization/workload.js'
import type { Workload } from '../workloads/workload.js'

/** Without the tally, which nobody asks. */
const { name, partitions, pipelineFile, waitingTriggers = [], messages } = personalizationOnTwoCores
const workload: Workload = { name, partitions, pipelineFile, waitingTriggers, messages }
const rates = [1_000, 5_000, 10_000]
const full = { warmUpSeconds: 2, search: { from: 16_000, most: 200_000, trials: 6, warmUpSeconds: 1, seconds: 2 } }
const quick = { warmUpSeconds: 0.5, search: { from: 16_000, most: 64_000, trials: 3, warmUpSeconds: 0.5, seconds: 1 } }

interface Latencies {
  readonly contender: Contender
  /** Absent when it was not looked for. */
  readonly range: SustainedRange | undefined
  /** Rates that were not even tried, because they are above it. */
  readonly beyond: readonly number[]
  readonly runs: readonly LoadResult[]
  /** Why nothing was measured. */
  readonly failure?: string
}

export const latency: Question = {
  name: 'latency',
  asks: 'How long from event to trigger, over load, and how much load can be sustained?',
  answer: async (options, say) => {
    const rig = await Rig.start(workload, say)
    try {
      const results: Latencies[] = []
      for (const contender of [millraceWith(options), ...fastest]) {
        const tell = (line: string) => say(`latency: ${contender.name}, ${line}`)
        results.push(await measure(rig, contender, options, tell).catch((error: unknown) => failed(contender, error)))
      }
      return answer(results, options, rig.versions)
    } finally {
      await rig.stop()
    }
  },
}

async function measure(
  rig: Rig,
  contender: Contender,
  options: BenchOptions,
  say: (line: string) => void,
): Promise<Latencies> {
  const { warmUpSeconds, search } = options.quick ? quick : full
  await contender.prepare?.(await rig.site(contender.name))
  const loop = await OpenLoop.start(rig, contender, options)
  try {
    const range = options.rate === undefined ? await findSustained(loop, search, say) : undefined
    const sustained = range?.sustained
    const wanted = sustained === undefined ? [options.rate!] : [...rates, Math.round(sustained / 2)]
    const tried = wanted.filter(rate => rate > 0 && rate <= (sustained ?? Infinity))
    const runs: LoadResult[] = []
    for (const rate of tried.sort((a, b) => a - b)) {
      say(`${rate} events/s for ${warmUpSeconds} + ${options.seconds} s`)
      const run = await loop.run({ rate, warmUpSeconds, seconds: options.seconds })
      runs.push(run)
      if (!run.isFinished) break
    }
    return { contender, range, beyond: wanted.filter(rate => !tried.includes(rate)), runs }
  } finally {
    await loop.stop()
  }
}

/** The others go on. */
function failed(contender: Contender, error: unknown): Latencies {
  const failure = error instanceof Error ? error.message : String(error)
  return { contender, range: undefined, beyond: [], runs: [], failure }
}

async function findSustained(
  loop: OpenLoop,
  search: typeof full.search,
  say: (line: string) => void,
): Promise<SustainedRange> {
  const tryRate = async (rate: number) => {
    const { isSustained, isFinished, behindMs, measurement } = await loop.run({ ...search, rate, hasLatency: false })
    const doneRate = measurement.eventsPerSecond
    const behind = behindMs.map(ms => Math.round(ms)).join(' to ')
    say(
      `${rate} events/s ${isSustained ? 'sustained' : `not sustained, ${Math.round(doneRate)} done`}, ${behind} ms behind`,
    )
    return { isSustained, isFinished, doneRate }
  }
  return sustainedRate(tryRate, search)
}

function answer(results: readonly Latencies[], { seconds }: BenchOptions, versions: string): Answer {
  const rows = results.flatMap(({ contender, range, beyond, runs }) => [
    ...runs.map(run => [contender.label, run.rate, ...figures(run), cpu(run)]),
    ...beyond.map(rate => [
      contender.label,
      rate,
      `not sustained, at most ${range?.sustained ?? 0}/s`,
      '',
      '',
      '',
      '',
      '',
    ]),
  ])
  const header = [
    '',
    'events/s',
    'p50 ms',
    'p99',
    'p99.9',
    'most',
    'due to trigger p50, p99, p99.9',
    'CPU us per event',
  ]
  const maxima = results.map(({ contender, range, failure }) => [
    contender.label,
    range?.sustained ?? (failure === undefined ? 'not asked' : `failed: ${failure}`),
    range?.notSustained ?? '',
  ])
  const [millrace] = results
  return {
    text: [
      `broker to trigger, ${seconds} s each; ${versions}`,
      '',
      table(rows, header),
      table(maxima, ['', 'sustained events/s', 'not any more']),
      '',
    ].join('\n'),
    json: {
      seconds,
      versions,
      contenders: Object.fromEntries(results.map(result => [result.contender.name, json(result)])),
    },
    failure: millrace?.failure,
  }
}

function figures({ latency, isSustained, isFinished }: LoadResult): string[] {
  if (!isSustained || !isFinished) return ['not sustained', '', '', '', '']
  if (latency === undefined) return ['no triggers', '', '', '', '']
  const { p50, p99, p999, most } = latency.brokerToTriggerMs
  const due = latency.dueToTriggerMs
  return [
    ...[p50, p99, p999, most].map(ms => ms.toFixed(2)),
    [due.p50, due.p99, due.p999].map(ms => ms.toFixed(2)).join(', '),
  ]
}

function cpu({ measurement: { cpuUsPerEvent } }: LoadResult): string {
  return Object.entries(cpuUsPerEvent)
    .map(([role, us]) => `${role} ${us.toFixed(1)}`)
    .join(', ')
}

function json({ contender: { label, guarantee, lacks }, range, beyond, runs, failure }: Latencies): object {
  const points = runs.filter(({ isSustained, isFinished }) => isSustained && isFinished)
  const others = runs.filter(run => !points.includes(run)).map(({ rate }) => rate)
  return {
    label,
    guarantee,
    lacks,
    sustainedEventsPerSecond: range?.sustained,
    notSustainedEventsPerSecond: range?.notSustained,
    notSustained: [...others, ...beyond],
    failure,
    points: points.map(({ rate, measurement: { cpuUsPerEvent, rssMb }, behindMs, sendLagMs, latency }) => ({
      rate,
      latencyMs: latency?.brokerToTriggerMs,
      dueToTriggerMs: latency?.dueToTriggerMs,
      sendLagMs,
      behindMs: behindMs.map(ms => rounded(ms, 1)),
      cpuUsPerEvent: roundedCpu(cpuUsPerEvent),
      rssMb: rounded(rssMb, 1),
    })),
  }
}

/** `sum` is without the generator, which is not part of the work. */
function roundedCpu({ engine, nats, redis, generator }: LoadResult['measurement']['cpuUsPerEvent']): object {
  const us = { sum: engine + nats + redis, engine, nats, redis, generator }
  return Object.fromEntries(Object.entries(us).map(([role, value]) => [role, rounded(value, 2)]))
}
