import t from 'tap'
import { LatencyHistogram } from '../../../benchmarks/harness/latency-histogram.js'

const within = (found: number, expected: number) => Math.abs(found - expected) <= expected / 1000

t.test('percentiles are exact to three digits', async t => {
  const histogram = new LatencyHistogram()
  for (let ms = 1; ms <= 10_000; ms++) histogram.record(ms)
  const { count, p50, p99, p999, most } = histogram.percentiles()!
  t.equal(count, 10_000)
  t.ok(within(p50, 5_000) && within(p99, 9_900) && within(p999, 9_990) && within(most, 10_000))
})

t.test('fractions of a millisecond count', async t => {
  const histogram = new LatencyHistogram()
  histogram.record(0.25)
  t.ok(within(histogram.percentiles()!.p50, 0.25))
})

t.test('nothing is below a microsecond, also where two clock readings are the wrong way round', async t => {
  const histogram = new LatencyHistogram()
  histogram.record(-3)
  histogram.record(0)
  t.equal(histogram.percentiles()!.most, 0.001)
})

t.test('without samples there are no percentiles', async t => {
  t.equal(new LatencyHistogram().percentiles(), undefined)
})
