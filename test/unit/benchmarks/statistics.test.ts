import fc from 'fast-check'
import t from 'tap'
import { percentile, rateInSeries, ratioOf, spreadOf } from '../../../benchmarks/harness/statistics.js'

t.test('the median of an odd number of samples is the middle one, of an even number the mean of two', async t => {
  t.strictSame(spreadOf([9, 1, 5]), { median: 5, least: 1, most: 9 })
  t.strictSame(spreadOf([4, 1, 2, 9]), { median: 3, least: 1, most: 9 })
})

t.test('samples stay in the order they were given', async t => {
  const samples = [3, 1, 2]
  spreadOf(samples)
  t.strictSame(samples, [3, 1, 2])
})

t.test('a percentile is the nearest rank: always a sample, never between two', async t => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
  t.equal(percentile(hundred, 0.5), 50)
  t.equal(percentile(hundred, 0.99), 99)
  t.equal(percentile(hundred, 0.991), 100)
  t.equal(percentile(hundred, 1), 100)
  t.equal(percentile(hundred, 0), 1)
  t.equal(percentile([7], 0.999), 7)
})

t.test('a share that has no exact binary form does not move the rank', async t => {
  const thousand = Array.from({ length: 1000 }, (_, i) => i + 1)
  for (let rank = 1; rank <= 1000; rank++) t.equal(percentile(thousand, rank / 1000), rank)
})

t.test('the share of samples lies at or below a percentile, and less than the share below it', async () => {
  const samples = fc.array(fc.integer(), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(samples, fc.integer({ min: 1, max: 100 }), (given, percent) => {
      const sorted = [...given].sort((a, b) => a - b)
      const value = percentile(sorted, percent / 100)
      const atMost = sorted.filter(sample => sample <= value).length
      const less = sorted.filter(sample => sample < value).length
      return atMost * 100 >= percent * sorted.length && less * 100 < percent * sorted.length
    }),
  )
})

t.test('no samples are an error, not a zero', async t => {
  t.throws(() => spreadOf([]), RangeError)
  t.throws(() => percentile([], 0.5), RangeError)
})

t.test('steps in series add their times: two of equal rate are half as fast', async t => {
  t.equal(rateInSeries([100, 100]), 50)
  t.equal(rateInSeries([80]), 80)
  t.equal(Math.round(rateInSeries([30, 60, 20])), 10)
})

const pairs = (...ratios: number[]) => ratios.map(ratio => [ratio * 10, 10] as const)

t.test('a ratio is the median of the pairs, on a logarithmic scale between two', async t => {
  t.equal(ratioOf(pairs(5)).median.toFixed(9), '5.000000000')
  t.equal(ratioOf(pairs(4, 9, 1)).median.toFixed(9), '4.000000000')
  t.equal(ratioOf(pairs(4, 9)).median.toFixed(9), '6.000000000')
})

t.test('with few pairs the range stands with the confidence that it has', async t => {
  // The median lies outside of the range when all n samples fall on one side of it: 2 / 2^n.
  t.match(ratioOf(pairs(5)), { low: 5, high: 5, confidence: 0 })
  t.match(ratioOf(pairs(4, 9, 1)), { low: 1, high: 9, confidence: 0.75 })
  t.match(ratioOf(pairs(1, 2, 3, 4, 5)), { low: 1, high: 5, confidence: 0.9375 })
})

t.test('with many pairs outliers fall away as far as 95 % allow', async t => {
  // Outside lies the median when at most one of nine coins shows heads, or at most one tails: 2 * (1 + 9) / 2^9 = 3.9 %. With
  // the third from each end it would be 2 * (1 + 9 + 36) / 2^9 = 18 %.
  const nine = ratioOf(pairs(1, 2, 3, 4, 5, 6, 7, 8, 100))
  t.match(nine, { low: 2, high: 8 })
  t.equal(nine.confidence.toFixed(3), '0.961')
  // 2 * (1 + 20 + 190 + 1140 + 4845 + 15504) / 2^20 = 4.1 %.
  const twenty = ratioOf(pairs(...Array.from({ length: 20 }, (_, i) => i + 1)))
  t.match(twenty, { low: 6, high: 15 })
  t.equal(twenty.confidence.toFixed(3), '0.959')
})
