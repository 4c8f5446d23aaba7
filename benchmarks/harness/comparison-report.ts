/** How a comparison is shown, to people and to programs. */
import { table } from '../../engine/cli/terminal.js'
import { differencesOf, type Standing } from './comparison.js'
import { describeDifferences } from './exactness.js'
import { pointJson, pointsOf, type LoadPoint } from './load-points.js'
import type { Measurement, Role } from './meter.js'
import { rounded, spreadOf, type Ratio } from './statistics.js'

const header = [
  '',
  'events/s',
  'range',
  'CPU us',
  'own',
  'nats',
  'redis',
  'p50 ms',
  'p99',
  'p99.9',
  'at events/s',
  'MB',
  'counts and sums',
]

/** A row for each contender, then what each promises and lacks. */
export function comparisonText(standings: readonly Standing[], ratios: ReadonlyMap<string, Ratio>): string {
  const ratioRows = [...ratios].map(([name, { median, low, high, confidence }]) => [
    labelOf(standings, name),
    median.toFixed(2),
    // One round has none.
    ...(confidence === 0 ? [] : [`${low.toFixed(2)} to ${high.toFixed(2)}`, `${Math.round(confidence * 100)} %`]),
  ])
  return [
    table(standings.filter(({ drains }) => drains.length > 0).map(rowOf), header),
    ratioRows.length === 0 ? '' : table(ratioRows, ['Millrace is faster than', 'times', 'interval', 'confidence']),
    ...standings.map(({ contender: { label, guarantee, lacks }, failure }) =>
      [
        `${label}. ${guarantee}`,
        lacks.length === 0 ? '' : ` It does not do: ${lacks.join('; ')}.`,
        failure === undefined ? '' : ` It failed: ${failure}.`,
      ].join(''),
    ),
    '',
  ].join('\n')
}

function rowOf(standing: Standing): string[] {
  const { contender, drains } = standing
  const [load] = pointsOf(standing.loads)
  const rate = spreadOf(drains.map(({ eventsPerSecond }) => eventsPerSecond))
  const { sum, engine, nats, redis } = cpuOf(drains)
  return [
    contender.label,
    Math.round(rate.median).toLocaleString('en-US'),
    `${Math.round(rate.least)} to ${Math.round(rate.most)}`,
    ...[sum, engine, nats, redis].map(us => us.toFixed(1)),
    ...latencyCells(load),
    load === undefined ? '' : load.rate.toLocaleString('en-US'),
    spreadOf(drains.map(({ rssMb }) => rssMb)).median.toFixed(0),
    describeDifferences(differencesOf(standing)),
  ]
}

function latencyCells(load: LoadPoint | undefined): string[] {
  if (load === undefined) return ['', '', '']
  if (load.sustainedRounds <= load.rounds / 2) return ['not sustained', '', '']
  if (load.brokerToTriggerMs === undefined) return ['no triggers', '', '']
  const { p50, p99, p999 } = load.brokerToTriggerMs
  return [p50, p99, p999].map(({ median }) => median.toFixed(2))
}

/** One object for each contender that was measured, by name. */
export function contendersJson(standings: readonly Standing[]): Record<string, unknown> {
  return Object.fromEntries(standings.map(standing => [standing.contender.name, contenderJson(standing)] as const))
}

function contenderJson(standing: Standing): object {
  const { label, guarantee, lacks } = standing.contender
  const { drains, loads, failure } = standing
  if (drains.length === 0) return { label, guarantee, lacks, failure }
  const [load] = pointsOf(loads)
  const latency = load && pointJson(load)
  const rates = drains.map(({ eventsPerSecond }) => Math.round(eventsPerSecond))
  const differences = differencesOf(standing)
  return {
    label,
    guarantee,
    lacks,
    eventsPerSecond: Math.round(spreadOf(rates).median),
    eventsPerSecondRange: [...rates].sort((a, b) => a - b),
    cpuUsPerEvent: cpuOf(drains),
    latencyMs: latency?.latencyMs,
    latencyRangeMs: latency?.latencyRangeMs,
    latencyAt: latency?.rate,
    rssMb: rounded(spreadOf(drains.map(({ rssMb }) => rssMb)).median, 1),
    isExact: differences && Object.keys(differences).length === 0,
    differences,
    failure,
  }
}

/** Medians, microseconds for one event; `sum` is of the contender and the servers. */
export function cpuOf(measured: readonly Measurement[]): Record<'sum' | Exclude<Role, 'generator'>, number> {
  const median = (of: (one: Measurement['cpuUsPerEvent']) => number) =>
    rounded(spreadOf(measured.map(({ cpuUsPerEvent }) => of(cpuUsPerEvent))).median, 2)
  return {
    sum: median(({ engine, nats, redis }) => engine + nats + redis),
    engine: median(({ engine }) => engine),
    nats: median(({ nats }) => nats),
    redis: median(({ redis }) => redis),
  }
}

function labelOf(standings: readonly Standing[], name: string): string {
  return standings.find(({ contender }) => contender.name === name)?.contender.label ?? name
}
