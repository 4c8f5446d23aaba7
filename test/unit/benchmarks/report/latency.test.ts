import t from 'tap'
import { latency } from '../../../../benchmarks/report/sections/latency.js'

const point = { rate: 1_000, latencyMs: { p50: 1, p99: 2, p999: 3 }, cpuUsPerEvent: { sum: 10 } }
const contenders = {
  fine: { label: 'Fine', sustainedEventsPerSecond: 5_000, points: [point] },
  broken: { label: 'Broken', failure: 'no *consumer*', points: [] },
}
const saved = { question: 'latency', date: '2026-01-01', commit: '', machine: {}, versions: '', result: { contenders } }

t.test('a contender that failed is named with its reason and has no curve', async t => {
  const { markdown, plots } = latency(saved as Parameters<typeof latency>[0])
  t.match(markdown, '- Broken: failed, `no *consumer*`')
  t.match(markdown, /\| Fine +\| +1,000 \|/)
  t.notMatch(plots[0]!.svg, 'Broken')
})
