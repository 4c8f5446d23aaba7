import fc from 'fast-check'
import t from 'tap'
import { percentile, rateInSeries, spreadOf } from '../../../benchmarks/harness/statistics.js'

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
