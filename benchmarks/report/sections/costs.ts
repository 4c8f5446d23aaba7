/** Tables of rate and processor time: the pipeline with its ceilings, replicas, runtimes, steps. */
import { entriesAt, listAt, numberAt, objectAt, rangeAt, textAt } from '../figures.js'
import { markdownTable, type Cell, type Column } from '../markdown.js'
import { blocks, type Render } from '../section.js'

const range = { head: 'range' }
const costColumns = [
  { head: 'events/s', digits: 0 },
  range,
  { head: 'own CPU us/event', digits: 1 },
  { head: 'NATS us', digits: 1 },
  { head: 'Redis us', digits: 1 },
  { head: 'MB', digits: 0 },
]

function costsOf(measured: unknown): Cell[] {
  const rates = rangeAt(measured, 'eventsPerSecondRange')?.map(rate => Math.round(rate).toLocaleString('en-US'))
  const cpu = (...names: string[]) =>
    names.map(name => numberAt(measured, 'cpuUsPerEvent', name)).find(us => us !== undefined)
  return [
    numberAt(measured, 'eventsPerSecond'),
    rates?.join(' to '),
    cpu('engine', 'engines', 'contender'),
    cpu('nats'),
    cpu('redis'),
    numberAt(measured, 'rssMb'),
  ]
}

/** Without the range where no row has one. */
function costTable(before: readonly Column[], rows: readonly Cell[][], after: readonly Column[] = []): string {
  const at = before.length + costColumns.indexOf(range)
  const columns = [...before, ...costColumns, ...after]
  if (rows.some(row => row[at] !== undefined)) return markdownTable(columns, rows)
  const without = <Part>(parts: readonly Part[]) => parts.filter((_, i) => i !== at)
  return markdownTable(without(columns), rows.map(without))
}

/** The whole, where it stands beside them, and what its parts reach alone. */
export const ceilings: Render = ({ result }) => {
  const whole = numberAt(result, 'eventsPerSecond') === undefined ? [] : [['pipeline', ...costsOf(result)]]
  const parts = entriesAt(result, 'ceilings').map(([name, part]) => [name, ...costsOf(part)])
  const efficiencies = [
    ['Efficiency', numberAt(result, 'efficiency')],
    ['by processor time', numberAt(result, 'cpuEfficiency')],
  ] as const
  const said = efficiencies.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value.toFixed(2)}`]))
  return {
    markdown: blocks(
      costTable([{ head: 'ceiling' }], [...whole, ...parts]),
      said.length === 0 ? '' : `${said.join(', ')}.`,
    ),
    plots: [],
  }
}

export const replicas: Render = ({ result }) => {
  const rows = entriesAt(objectAt(result, 'replicas') ?? result).flatMap(([count, measured]) =>
    numberAt(measured, 'eventsPerSecond') === undefined ? [] : [[count, ...costsOf(measured)]],
  )
  const [replica, redis, nats] = ['engine', 'redis', 'nats'].map(part => coreRate(objectAt(result, '1'), part))
  const isKnown = replica !== undefined && redis !== undefined && nats !== undefined
  const carried = `By the figures of one process, a core carries ${replica} events/s as a replica, ${redis} as a Redis, ${nats} as a part of nats-server.`
  return {
    markdown: blocks(costTable([{ head: 'processes' }], rows), isKnown ? carried : ''),
    plots: [],
  }
}

/** What one core does in a second, when an event costs it this much processor time. */
function coreRate(measured: unknown, part: string): string | undefined {
  const us = numberAt(measured, 'cpuUsPerEvent', part)
  return us === undefined ? undefined : (Math.round(1000 / us) * 1000).toLocaleString('en-US')
}

/** Microseconds for an event of each step. */
export const micro: Render = ({ result }) => {
  const steps = entriesAt(objectAt(result, 'micro') ?? result).flatMap(([step, us]) =>
    typeof us === 'number' ? [[step, us] as const] : [],
  )
  return { markdown: markdownTable([{ head: 'step' }, { head: 'us per event', digits: 2 }], steps), plots: [] }
}

export const runtimes: Render = ({ result }) => {
  const after = [{ head: 'p99 ms', digits: 2 }, { head: 'rate to the first' }, { head: 'CPU to the first' }]
  const rows = listAt(result, 'runtimes').map(runtime => [
    textAt(runtime, 'version'),
    ...costsOf(runtime),
    numberAt(runtime, 'latencyMs', 'p99'),
    relative(objectAt(runtime, 'relativeRate')),
    relative(objectAt(runtime, 'relativeCpu')),
  ])
  return { markdown: costTable([{ head: 'Node' }], rows, after), plots: [] }
}

function relative(ratio: unknown): string | undefined {
  const [median, low, high] = ['median', 'low', 'high'].map(name => numberAt(ratio, name)?.toFixed(2))
  return median === undefined ? undefined : `${median} (${low} to ${high})`
}
