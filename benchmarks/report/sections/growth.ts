/** How rate and latency change when one thing grows. */
import { listAt, numberAt, rangeAt } from '../figures.js'
import { lineChart } from '../line-chart.js'
import { image, markdownTable, type Cell } from '../markdown.js'
import { blocks, type Render, type Section } from '../section.js'
import { compact } from '../scale.js'

const curves = ['users', 'partitions', 'traits'] as const

interface Point {
  readonly size: number
  readonly eventsPerSecond: number | undefined
  readonly p99: number | undefined
  readonly cells: readonly Cell[]
}

export const growth: Render = ({ result }) => {
  const sections = curves.map(name => {
    const points = listAt(result, name).flatMap(point => pointOf(point))
    return points.length === 0 ? { markdown: '', plots: [] } : curve(name, points)
  })
  return {
    markdown: blocks(...sections.map(section => section.markdown)),
    plots: sections.flatMap(section => section.plots),
  }
}

function pointOf(point: unknown): Point[] {
  const size = numberAt(point, 'size')
  if (size === undefined) return []
  const eventsPerSecond = numberAt(point, 'eventsPerSecond')
  const p99 = numberAt(point, 'latencyMs', 'p99')
  const cpu = ['engine', 'nats', 'redis'].map(name => numberAt(point, 'cpuUsPerEvent', name))
  const cells = [size, eventsPerSecond, rangeText(point), ...cpu, p99, numberAt(point, 'rssMb')]
  return [{ size, eventsPerSecond, p99, cells }]
}

/** Nothing where there was one drain. */
function rangeText(point: unknown): string | undefined {
  if (listAt(point, 'eventsPerSecondRange').length < 2) return undefined
  const range = rangeAt(point, 'eventsPerSecondRange')
  return range?.map(rate => rate.toLocaleString('en-US')).join(' to ')
}

function curve(name: (typeof curves)[number], points: readonly Point[]): Section {
  const columns = [
    { head: name, digits: 0 },
    { head: 'events/s', digits: 0 },
    { head: 'range' },
    { head: 'own CPU us/event', digits: 1 },
    { head: 'NATS us', digits: 1 },
    { head: 'Redis us', digits: 1 },
    { head: 'p99 ms', digits: 2 },
    { head: 'MB', digits: 0 },
  ]
  const x = { name, kind: 'logarithmic' } as const
  const series = (pick: (point: Point) => number | undefined) => [
    {
      name: 'Millrace',
      points: points.flatMap(point => {
        const y = pick(point)
        return y === undefined ? [] : [{ x: point.size, y }]
      }),
    },
  ]
  const said = sentence(name, points)
  const panels = [
    { x, y: { name: 'events/s', kind: 'linear' } as const, series: series(point => point.eventsPerSecond) },
    { x, y: { name: 'p99, ms', kind: 'linear' } as const, series: series(point => point.p99) },
  ]
  const title = `Growth: ${name}`
  const file = `growth-${name}.svg`
  return {
    markdown: blocks(
      `### ${name}`,
      said,
      markdownTable(
        columns,
        points.map(({ cells }) => cells),
      ),
      image(`Rate and p99 over ${name}`, `benchmarks/${file}`),
    ),
    plots: [{ file, svg: lineChart({ title, description: `Two panels over ${name}. ${said}`, panels }) }],
  }
}

/** What the curve says from its first to its last point. */
function sentence(name: string, points: readonly Point[]): string {
  const [first, last] = [points[0]!, points.at(-1)!]
  const parts = [
    change('the rate goes', first.eventsPerSecond, last.eventsPerSecond, ' events/s'),
    change('p99', first.p99, last.p99, ' ms'),
  ].filter(part => part !== '')
  return parts.length === 0
    ? ''
    : `From ${compact(first.size)} to ${compact(last.size)} ${name} ${parts.join(' and ')}.`
}

function change(what: string, from: number | undefined, to: number | undefined, unit: string): string {
  if (from === undefined || to === undefined) return ''
  const percent = Math.round((to / from - 1) * 100)
  return `${what} from ${compact(from)} to ${compact(to)}${unit} (${percent > 0 ? '+' : ''}${percent} %)`
}
