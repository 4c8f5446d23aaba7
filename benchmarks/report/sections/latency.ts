/** Latency over load: for each contender what half, all but one in a hundred and all but one in a thousand events take. */
import { entriesAt, listAt, numberAt, textAt } from '../figures.js'
import { lineChart, type Panel } from '../line-chart.js'
import { image, markdownTable } from '../markdown.js'
import { blocks, type Render } from '../section.js'

const columns = [
  { head: 'contender' },
  { head: 'events/s', digits: 0 },
  { head: 'p50 ms', digits: 2 },
  { head: 'p99 ms', digits: 2 },
  { head: 'p99.9 ms', digits: 2 },
  { head: 'from due p99', digits: 2 },
  { head: 'p99.9', digits: 2 },
  { head: 'triggers', digits: 0 },
  { head: 'CPU us/event', digits: 1 },
]

/** The search ends with a rate that was sustained and one that was not; the maximum lies between them. */
const maximaColumns = [
  { head: 'contender' },
  { head: 'sustained events/s', digits: 0 },
  { head: 'not any more', digits: 0 },
]

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
  const rows = curves.flatMap(({ name, points }) =>
    points.map(point => [
      name,
      numberAt(point, 'rate'),
      ...shares.map(([share]) => numberAt(point, 'latencyMs', share)),
      ...['p99', 'p999'].map(share => numberAt(point, 'dueToTriggerMs', share)),
      numberAt(point, 'latencyMs', 'count'),
      numberAt(point, 'cpuUsPerEvent', 'sum') ?? numberAt(point, 'cpuUsPerEvent', 'engine'),
    ]),
  )
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
      failures.join('\n'),
      image('Latency over load', `benchmarks/${plot.file}`),
      maxima.length === 0 ? '' : markdownTable(maximaColumns, maxima),
    ),
    plots: [plot],
  }
}
