/** Workloads that only Millrace does here: rate, cost, and whether every result was right. */
import { barChart, type Bar } from '../bar-chart.js'
import { entriesAt, numberAt, objectAt, rangeAt } from '../figures.js'
import { image, markdownTable } from '../markdown.js'
import { blocks, type Render } from '../section.js'

const columns = [
  { head: 'workload' },
  { head: 'events/s', digits: 0 },
  { head: 'own CPU us/event', digits: 1 },
  { head: 'NATS us', digits: 1 },
  { head: 'Redis us', digits: 1 },
  { head: 'profiles', digits: 0 },
  { head: 'triggers', digits: 0 },
  { head: 'MB', digits: 0 },
  { head: 'results' },
]

export const drains: Render = ({ question, result }) => {
  const measured = entriesAt(result).filter(([name, figures]) => name !== 'sustained' && hasRate(figures))
  if (measured.length === 0) return { markdown: '', plots: [] }
  const rows = measured.map(([name, figures]) => [
    name,
    numberAt(figures, 'eventsPerSecond'),
    ...['engine', 'nats', 'redis'].map(role => numberAt(figures, 'cpuUsPerEvent', role)),
    ...['profiles', 'triggers', 'rssMb'].map(figure => numberAt(figures, figure)),
    exactness(figures),
  ])
  const bars = measured.map(([name, figures]): Bar => {
    return { name, value: numberAt(figures, 'eventsPerSecond')!, range: rangeAt(figures, 'eventsPerSecondRange') }
  })
  const title = `Throughput, ${question}`
  const words = bars.map(({ name, value }) => `${name} ${Math.round(value).toLocaleString('en-US')}`).join(', ')
  const description = `Median events per second of Millrace with the range of the rounds: ${words}.`
  const plot = { file: `${question}.svg`, svg: barChart({ title, description, unit: 'events/s', bars }) }
  return {
    markdown: blocks(
      markdownTable(columns, rows),
      image(title, `benchmarks/${plot.file}`),
      sustained(objectAt(result, 'sustained')),
    ),
    plots: [plot],
  }
}

function sustained(figures: unknown): string {
  const rate = numberAt(figures, 'eventsPerSecond')
  if (rate === undefined) return ''
  const shares = ['p50', 'p99', 'p999'].map(share => numberAt(figures, 'stalenessMs', share))
  const row = [rate, numberAt(figures, 'measuredAt'), ...shares, exactness(figures)]
  const heads = ['sustained events/s', 'measured at']
  return markdownTable(
    [
      ...heads.map(head => ({ head, digits: 0 })),
      ...['p50', 'p99', 'p99.9'].map(share => ({ head: `stale ${share} ms`, digits: 1 })),
      { head: 'results' },
    ],
    [row],
  )
}

function hasRate(figures: unknown): boolean {
  return numberAt(figures, 'eventsPerSecond') !== undefined
}

function exactness(figures: unknown): string | undefined {
  const isExact = objectAt(figures)?.['isExact']
  return isExact === true ? 'exact' : isExact === false ? 'wrong' : undefined
}
