/** Latency over load: for each contender what half, all but one in a hundred and all but one in a thousand events take. */
import { entriesAt, listAt, numberAt, rangeAt, textAt } from '../figures.js'
import { lineChart, type Panel } from '../line-chart.js'
import { image, markdownTable } from '../markdown.js'
import { blocks, type Render } from '../section.js'

const columns = [
  { head: 'contender' },
  { head: 'events/s', digits: 0 },
  { head: 'p50 ms', digits: 2 },
  { head: 'p99 ms', digits: 2 },
  { head: 'range' },
  { head: 'p99.9 ms', digits: 2 },
  { head: 'range' },
  { head: 'from due p99', digits: 2 },
  { head: 'p99.9', digits: 2 },
  { head: 'triggers', digits: 0 },
  { head: 'CPU us/event', digits: 1 },
]

/** Times of Millrace over times of another. */
const ratioColumns = [
  { head: 'Millrace against' },
  { head: 'events/s', digits: 0 },
  { head: 'p50, times' },
  { head: 'p99, times' },
  { head: 'p99.9, times' },
]

/** The search ends with a rate that was sustained and one that was not; the maximum lies between them. */
const maximaColumns = [
  { head: 'contender' },
  { head: 'sustained events/s', digits: 0 },
  { head: 'not any more', digits: 0 },
]

/** An answer may be older than the rounds. */
const singleRuns = 'This answer was saved before there were rounds: each row is one run.'

const shares = [
  ['p50', 'p50, ms'],
  ['p99', 'p99, ms'],
  ['p999', 'p99.9, ms'],
] as const

export const latency: Render = ({ result }) => {
  const curves = entriesAt(result, 'contenders').map(([id, contender]) => ({
    name: textAt(contender, 'label') ?? id,
    points: listAt(contender, 'points'),
  }))
  const failures = entriesAt(result, 'contenders').flatMap(([id, contender]) => {
    const failure = textAt(contender, 'failure')
    return failure === undefined ? [] : [`- ${textAt(contender, 'label') ?? id}: failed, \`${failure}\``]
  })
  const rows = curves.flatMap(({ name, points }) => points.map(point => [name, ...figuresOf(point)]))
  if (rows.length === 0) return { markdown: '', plots: [] }
  const maxima = entriesAt(result, 'contenders').flatMap(([id, contender]) => {
    const most = numberAt(contender, 'sustainedEventsPerSecond')
    const tooMuch = numberAt(contender, 'notSustainedEventsPerSecond')
    return most === undefined ? [] : [[textAt(contender, 'label') ?? id, most, tooMuch]]
  })
  const drawn = curves.filter(({ points }) => points.length > 0)
  const panels = shares.map(([share, name]): Panel => {
    const series = drawn.map(({ name, points }) => ({
      name,
      points: points.flatMap(point => {
        const [x, y] = [numberAt(point, 'rate'), numberAt(point, 'latencyMs', share)]
        return x === undefined || y === undefined ? [] : [{ x, y }]
      }),
    }))
    return { x: { name: 'events/s', kind: 'linear' }, y: { name, kind: 'logarithmic' }, series }
  })
  const title = 'Latency over load'
  const description = `Three panels, p50, p99 and p99.9 in milliseconds on a logarithmic axis, over events per second, of ${drawn.map(({ name }) => name).join(', ')}.`
  const plot = { file: 'latency.svg', svg: lineChart({ title, description, panels }) }
  return {
    markdown: blocks(
      markdownTable(columns, rows),
      curves.some(({ points }) => points.some(point => numberAt(point, 'rounds') === undefined)) ? singleRuns : '',
      failures.join('\n'),
      ratiosOf(result),
      image('Latency over load', `benchmarks/${plot.file}`),
      maxima.length === 0 ? '' : markdownTable(maximaColumns, maxima),
    ),
    plots: [plot],
  }
}

function figuresOf(point: unknown) {
  const ms = (share: string) => numberAt(point, 'latencyMs', share)
  const range = (share: string) =>
    rangeAt(point, 'latencyRangeMs', share)
      ?.map(bound => bound.toFixed(1))
      .join(' to ')
  return [
    numberAt(point, 'rate'),
    ms('p50'),
    ...['p99', 'p999'].flatMap(share => [ms(share), range(share)]),
    ...['p99', 'p999'].map(share => numberAt(point, 'dueToTriggerMs', share)),
    numberAt(point, 'triggers'),
    numberAt(point, 'cpuUsPerEvent', 'sum'),
  ]
}

/** At the rates that both bore, with what the intervals are worth. */
function ratiosOf(result: unknown): string {
  const ratios = entriesAt(result, 'latencyRatios').flatMap(([id, at]) =>
    listAt(at).map(ratio => ({ name: textAt(result, 'contenders', id, 'label') ?? id, ratio })),
  )
  if (ratios.length === 0) return ''
  const rows = ratios.map(({ name, ratio }) => [
    name,
    numberAt(ratio, 'rate'),
    ...shares.map(([share]) => ratioText(ratio, share)),
  ])
  const known = ratios.flatMap(({ ratio }) => numberAt(ratio, 'p99', 'confidence') ?? [])
  const least = Math.min(...known.filter(confidence => confidence > 0))
  const confidence =
    least === Infinity
      ? ''
      : ` In brackets: where the true ratio lies, with a confidence of ${Math.round(least * 100)} %.`
  return blocks(markdownTable(ratioColumns, rows), `Below 1 Millrace is sooner.${confidence}`)
}

function ratioText(ratio: unknown, share: string): string | undefined {
  const [median, low, high] = ['median', 'low', 'high'].map(name => numberAt(ratio, share, name)?.toFixed(2))
  if (median === undefined || low === undefined || high === undefined) return median
  return `${median} (${low} to ${high})`
}
