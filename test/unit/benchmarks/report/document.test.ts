import t from 'tap'
import { renderReport, type ReportSources } from '../../../../benchmarks/report/document.js'
import type { SavedResult } from '../../../../benchmarks/report/saved-results.js'
import { parseXml } from './parse-xml.js'

const machine = { cores: 2, cpu: 'A CPU', memoryGb: 8, node: 'v20.1.0' }
const saved = (question: string, result: SavedResult['result']): [string, SavedResult] => [
  question,
  { question, date: '2026-01-02', commit: 'abc1234', machine, versions: 'nats-server 1, redis-server 2', result },
]
const sources = (template: string, ...results: [string, SavedResult][]): ReportSources => ({
  template,
  results: new Map(results),
  published: [],
  questions: [],
})
const placeOf = (question: string) => `# Page\n\nWords.\n\n<!-- figures: ${question} -->\n\nMore words.\n`

const cpuUsPerEvent = { sum: 30, engine: 20, nats: 8, redis: 2 }
const contenders = {
  millrace: {
    label: 'Millrace',
    guarantee: 'Exactly once.',
    lacks: [],
    eventsPerSecond: 61_234,
    eventsPerSecondRange: [60_000, 61_234, 63_000],
    cpuUsPerEvent,
    latencyMs: { p50: 1.25, p99: 7.5, p999: 33.125 },
    latencyAt: 10_000,
    rssMb: 210,
    isExact: true,
  },
  other: { label: 'Other', guarantee: 'At least once.', lacks: ['windows', 'timers'], eventsPerSecond: 9_876 },
  broken: { label: 'Broken', guarantee: 'None.', lacks: [], failure: 'it did not start' },
}
const ratios = { other: { median: 6.2, low: 6.1, high: 6.42 } }

t.test('a question without a result is not measured yet, and no figure stands there', async t => {
  const { markdown, plots } = renderReport(sources(placeOf('personalization')))
  t.equal(markdown, '# Page\n\nWords.\n\nNot measured yet.\n\nMore words.\n')
  t.strictSame(plots, [])
})

t.test('a result that holds nothing is not measured either', async t => {
  for (const question of ['personalization', 'latency', 'yahoo', 'growth']) {
    const { markdown, plots } = renderReport(sources(placeOf(question), saved(question, {})))
    t.match(markdown, 'Not measured yet.', question)
    t.strictSame(plots, [])
  }
})

t.test('a comparison says where it was taken, each figure, each promise and what is lacking', async t => {
  const result = { contenders, ratios, efficiency: 0.71 }
  const { markdown } = renderReport(sources(placeOf('personalization'), saved('personalization', result)))
  t.match(
    markdown,
    'Measured 2026-01-02 at abc1234 on 2 cores (A CPU), 8 GB, Node v20.1.0, nats-server 1, redis-server 2.',
  )
  const cells = (label: string) =>
    markdown
      .split('\n')
      .find(line => line.startsWith(`| ${label} `))!
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim())
  t.strictSame(cells('Millrace'), [
    ...['Millrace', '61,234', '', '30.0', '20.0', '1.25', '7.50', '33.13', '10,000', '210', 'exact'],
  ])
  t.strictSame(cells('Other'), ['Other', '9,876', '6.2 times (6.1 to 6.4)', '', '', '', '', '', '', '', ''])
  t.match(markdown, '- Other: At least once. It does not do: windows; timers.')
  t.match(markdown, '- Broken: None. It failed: it did not start.')
  t.notMatch(markdown, '| Broken')
})

t.test('a comparison says how sure its intervals are, the least of them', async t => {
  const page = (...confidences: number[]) => {
    const ratios = Object.fromEntries(confidences.map((confidence, i) => [`peer${i}`, { median: 2, confidence }]))
    return renderReport(sources(placeOf('personalization'), saved('personalization', { contenders, ratios }))).markdown
  }
  t.match(page(0.969, 0.75), 'In brackets: where the true ratio lies, with a confidence of 75 %.')
  t.notMatch(page(0), 'In brackets')
})

t.test('a comparison has a plot that the page shows', async t => {
  const { markdown, plots } = renderReport(
    sources(placeOf('personalization'), saved('personalization', { contenders, ratios })),
  )
  t.strictSame(
    plots.map(({ file }) => file),
    ['personalization.svg'],
  )
  t.match(markdown, '](benchmarks/personalization.svg)')
  t.match(parseXml(plots[0]!.svg).children[1]!.text, 'Millrace 61,234, Other 9,876')
})

t.test('latency has a row for each rate and a plot of three panels', async t => {
  const point = (rate: number, ms: number) => ({ rate, latencyMs: { p50: ms, p99: ms * 4, p999: ms * 10 } })
  const result = {
    contenders: {
      millrace: { label: 'Millrace', sustainedEventsPerSecond: 40_000, points: [point(1_000, 1), point(10_000, 2)] },
      other: { label: 'Other', sustainedEventsPerSecond: 0, points: [] },
    },
  }
  const { markdown, plots } = renderReport(sources(placeOf('latency'), saved('latency', result)))
  t.match(markdown, /\| Millrace +\| +10,000 \| +2\.00 \| +8\.00 \| +\| +20\.00 \|/)
  t.match(markdown, /\| Other +\| +0 \|/)
  t.equal(parseXml(plots[0]!.svg).name, 'svg')
})

t.test('a curve of growth says what changes from its first point to its last', async t => {
  const users = [
    { size: 10_000, eventsPerSecond: 50_000, latencyMs: { p99: 4 } },
    { size: 5_000_000, eventsPerSecond: 40_000, latencyMs: { p99: 6 } },
  ]
  const { markdown, plots } = renderReport(sources(placeOf('growth'), saved('growth', { users, traits: [] })))
  t.match(
    markdown,
    'From 10k to 5M users the rate goes from 50k to 40k events/s (-20 %) and p99 from 4 to 6 ms (+50 %).',
  )
  t.strictSame(
    plots.map(({ file }) => file),
    ['growth-users.svg'],
  )
})

t.test('memory shows figures with their unit, and whether a bound is held', async t => {
  const figures = { stored: { what: 'a profile', value: 133, unit: 'bytes' } }
  const bounds = {
    redis: { what: 'Redis', measured: 1_200, most: 1_200 },
    process: { what: 'the engine', measured: 501, most: 500 },
  }
  const { markdown } = renderReport(sources(placeOf('memory'), saved('memory', { figures, bounds })))
  t.match(markdown, /\| a profile \| +133 \| bytes \|/)
  t.match(markdown, /\| Redis +\| +1,200 \| +1,200 \| yes +\|/)
  t.match(markdown, /\| the engine \| +501 \| +500 \| no +\|/)
})

t.test('every question and every result must have a place, and every place a question', async t => {
  const asked = { name: 'later', asks: 'When?', isUsual: true }
  t.throws(() => renderReport({ ...sources(placeOf('gate')), questions: [asked] }), {
    message: 'the template has no place for later',
  })
  t.throws(() => renderReport(sources(placeOf('gate'), saved('yahoo', {}))), {
    message: 'the template has no place for yahoo',
  })
  t.throws(() => renderReport(sources(placeOf('nothing'))), { message: /a place for "nothing"/ })
})

t.test('the questions are listed, the usual ones in bold', async t => {
  const questions = [
    { name: 'gate', asks: 'Has it?', isUsual: false },
    { name: 'yahoo', asks: 'How fast?', isUsual: true },
  ]
  const template = '<!-- questions -->\n\n<!-- figures: gate -->\n<!-- figures: yahoo -->\n'
  const { markdown } = renderReport({ ...sources(template), questions })
  t.match(markdown, /\| gate +\| Has it\? +\|\n\| \*\*yahoo\*\* \| How fast\? \|/)
})

t.test('figures of others are quoted with source and date', async t => {
  const quoted = {
    system: 'Flink',
    workload: 'Yahoo',
    figure: '3,000,000',
    unit: 'events/s',
    perCore: '75,000 of 40',
    source: 'a paper',
    date: '2016-02-02',
    note: 'on ten machines',
  }
  const { markdown } = renderReport({ ...sources(placeOf('published')), published: [quoted] })
  for (const words of ['3,000,000 events/s', '75,000 of 40', 'a paper, 2016-02-02', 'on ten machines']) {
    t.ok(markdown.includes(words), words)
  }
})
