import fc from 'fast-check'
import t from 'tap'
import { Histogram } from '../../../../engine/metrics/histogram.js'

const counts = (histogram: Histogram) => [...histogram.counts]

t.test('a value at a bound is counted at that bound, one above it at the next', async t => {
  const histogram = new Histogram([1, 5, 10])
  for (const value of [0, 1, 1.001, 5, 10, 10.001]) histogram.observe(value)
  t.strictSame(counts(histogram), [2, 2, 1, 1])
})

t.test('an observation may stand for several', async t => {
  const histogram = new Histogram([1, 5])
  histogram.observe(2, 3)
  t.strictSame(counts(histogram), [0, 3, 0])
  t.equal(histogram.sum, 6)
  t.equal(histogram.count, 3)
})

t.test('a negative value and one that is no number count as zero, so that the sum never falls', async t => {
  const histogram = new Histogram([1])
  histogram.observe(-5)
  histogram.observe(NaN)
  t.strictSame(counts(histogram), [2, 0])
  t.equal(histogram.sum, 0)
})

t.test('no observation is lost and each lies in the bucket that its value says', async () => {
  const bounds = [1, 2.5, 5, 10, 100]
  const values = fc.array(fc.double({ min: 0, max: 200, noNaN: true }))
  fc.assert(
    fc.property(values, observed => {
      const histogram = new Histogram(bounds)
      for (const value of observed) histogram.observe(value)
      const expected = [...bounds, Infinity].map(
        (bound, index) =>
          observed.filter(value => value <= bound && (index === 0 || value > bounds[index - 1]!)).length,
      )
      return histogram.count === observed.length && expected.every((count, index) => count === histogram.counts[index])
    }),
  )
})

t.test('reset forgets everything', async t => {
  const histogram = new Histogram([1])
  histogram.observe(1)
  histogram.reset()
  t.strictSame([counts(histogram), histogram.sum, histogram.count], [[0, 0], 0, 0])
})
