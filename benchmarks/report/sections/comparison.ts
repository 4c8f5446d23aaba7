/** Several contenders on the same work: who is how fast, at what cost, with which guarantee. */
import { barChart } from '../bar-chart.js'
import { entriesAt, listAt, numberAt, objectAt, rangeAt, textAt } from '../figures.js'
import { image, markdownTable } from '../markdown.js'
import { blocks, type Plot, type Render } from '../section.js'
import { ceilings } from './costs.js'
import { headroom } from './headroom.js'

type Contender = readonly [string, unknown]

const columns = [
  { head: 'contender' },
  { head: 'events/s', digits: 0 },
  { head: 'Millrace is faster by' },
  { head: 'CPU us/event', digits: 1 },
  { head: 'its own', digits: 1 },
  { head: 'p50 ms', digits: 2 },
  { head: 'p99 ms', digits: 2 },
  { head: 'p99.9 ms', digits: 2 },
  { head: 'at events/s', digits: 0 },
  { head: 'MB', digits: 0 },
  { head: 'counts and sums' },
]

export const comparison: Render = saved => {
  const { question, result } = saved
  const contenders = entriesAt(result, 'contenders')
  const measured = contenders.filter(([, contender]) => numberAt(contender, 'eventsPerSecond') !== undefined)
  if (measured.length === 0) return { markdown: '', plots: [] }
  const plot = plotOf(question, measured)
  return {
    markdown: blocks(
      markdownTable(
        columns,
        measured.map(([id, contender]) => rowOf(id, contender, objectAt(result, 'ratios', id))),
      ),
      confidenceOf(result),
      image(`Throughput of each contender, ${question}`, `benchmarks/${plot.file}`),
      contenders.map(promiseOf).join(''),
      objectAt(result, 'ceilings') === undefined ? '' : ceilings(saved).markdown,
      headroom(saved),
    ),
    plots: [plot],
  }
}

function rowOf(id: string, contender: unknown, ratio: unknown) {
  const isExact = objectAt(contender)?.['isExact']
  return [
    labelOf([id, contender]),
    numberAt(contender, 'eventsPerSecond'),
    ratioText(ratio),
    numberAt(contender, 'cpuUsPerEvent', 'sum'),
    numberAt(contender, 'cpuUsPerEvent', 'engine'),
    ...['p50', 'p99', 'p999'].map(share => numberAt(contender, 'latencyMs', share)),
    objectAt(contender, 'latencyMs') && numberAt(contender, 'latencyAt'),
    numberAt(contender, 'rssMb'),
    isExact === true ? 'exact' : isExact === false ? 'differ' : undefined,
  ]
}

function plotOf(question: string, contenders: readonly Contender[]): Plot {
  const bars = contenders.map(contender => ({
    name: labelOf(contender),
    value: numberAt(contender[1], 'eventsPerSecond')!,
    range: rangeAt(contender[1], 'eventsPerSecondRange'),
  }))
  const title = `Throughput, ${question}`
  const words = bars.map(({ name, value }) => `${name} ${Math.round(value).toLocaleString('en-US')}`).join(', ')
  const description = `Median events per second of each contender, with the range of the rounds: ${words}.`
  return { file: `${question}.svg`, svg: barChart({ title, description, unit: 'events/s', bars }) }
}

function labelOf([id, contender]: Contender): string {
  return textAt(contender, 'label') ?? id
}

function ratioText(ratio: unknown): string | undefined {
  const [median, low, high] = ['median', 'low', 'high'].map(name => numberAt(ratio, name)?.toFixed(1))
  if (median === undefined) return undefined
  return low === undefined || high === undefined ? `${median} times` : `${median} times (${low} to ${high})`
}

/** Of the intervals, which are as sure as there were rounds. */
function confidenceOf(result: unknown): string {
  const known = entriesAt(result, 'ratios').flatMap(([, ratio]) => numberAt(ratio, 'confidence') ?? [])
  // With one round there is no interval.
  const least = Math.min(...known.filter(confidence => confidence > 0))
  if (least === Infinity) return ''
  return `In brackets: where the true ratio lies, with a confidence of ${Math.round(least * 100)} %.`
}

function promiseOf(contender: Contender): string {
  const [, figures] = contender
  const lacks = listAt(figures, 'lacks').filter(lack => typeof lack === 'string')
  const [guarantee, failure] = [textAt(figures, 'guarantee') ?? '', textAt(figures, 'failure')]
  const missing = lacks.length === 0 ? '' : ` It does not do: ${lacks.join('; ')}.`
  const failed = failure === undefined ? '' : ` It failed: ${failure}.`
  return `- ${labelOf(contender)}: ${guarantee}${missing}${failed}\n`
}
