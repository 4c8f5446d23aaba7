import t from 'tap'
import { latency } from '../../../../benchmarks/report/sections/latency.js'

const point = {
  rate: 1_000,
  latencyMs: { p50: 1, p99: 2, p999: 3 },
  latencyRangeMs: { p50: [0.9, 1.1], p99: [1.5, 4], p999: [3, 3] },
  cpuUsPerEvent: { sum: 10 },
}
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

t.test('each percentile has the range of its rounds beside it', async t => {
  const { markdown } = latency(saved as Parameters<typeof latency>[0])
  t.match(markdown, /\| Fine +\| +1,000 \| +1\.00 \| +2\.00 \| 1\.5 to 4\.0 +\| +3\.00 \| 3\.0 to 3\.0 +\|/)
  t.notMatch(markdown, 'Millrace against', 'nobody was compared')
  t.match(markdown, 'each row is one run')
  const contenders = { fine: { label: 'Fine', points: [{ ...point, rounds: 3 }] } }
  const { markdown: later } = latency({ ...saved, result: { contenders } } as Parameters<typeof latency>[0])
  t.notMatch(later, 'each row is one run')
})

t.test('the time over that of a peer comes with its interval and what that is worth', async t => {
  const ratio = { median: 0.5, low: 0.4, high: 0.75, confidence: 0.75 }
  const latencyRatios = { fine: [{ rate: 5_000, p50: ratio, p99: ratio, p999: { ...ratio, low: undefined } }] }
  const { markdown } = latency({ ...saved, result: { contenders, latencyRatios } } as Parameters<typeof latency>[0])
  t.match(markdown, /\| Fine +\| +5,000 \| 0\.50 \(0\.40 to 0\.75\) \| 0\.50 \(0\.40 to 0\.75\) \| 0\.50 +\|/)
  t.match(markdown, 'with a confidence of 75 %')
})
