import fc from 'fast-check'
import t from 'tap'
import { compact, linearScale, logScale } from '../../../../benchmarks/report/scale.js'

const positive = fc.double({ min: 1e-3, max: 1e9, noNaN: true })

t.test('a linear axis begins at zero and ends at a round number', async t => {
  const { at, ticks } = linearScale(9_300, [100, 600])
  t.equal(at(0), 100)
  t.equal(at(10_000), 600)
  t.equal(at(5_000), 350, 'half the value is half the way')
  t.strictSame(ticks, [0, 2_000, 4_000, 6_000, 8_000, 10_000])
})

t.test('an upright axis runs from the larger to the smaller pixel', async t => {
  const { at } = linearScale(100, [300, 50])
  t.equal(at(0), 300)
  t.equal(at(100), 50)
})

t.test('on a logarithmic axis equal factors are equal distances', async t => {
  const { at, ticks } = logScale([1, 1_000], [0, 300])
  t.equal(at(1), 0)
  t.ok(Math.abs(at(10) - 100) < 1e-9)
  t.ok(Math.abs(at(100) - 200) < 1e-9)
  t.ok(Math.abs(at(1_000) - 300) < 1e-9)
  t.strictSame(ticks, [1, 10, 100, 1_000])
})

t.test('a short logarithmic axis has ticks at 1, 2 and 5', async t => {
  t.strictSame(logScale([3, 40], [0, 1]).ticks, [2, 5, 10, 20, 50])
})

t.test('a logarithmic axis refuses zero and less', async t => {
  t.throws(() => logScale([0, 1], [0, 1]), { name: 'RangeError' })
  t.throws(() => logScale([-1], [0, 1]), { name: 'RangeError' })
})

t.test('every value and every tick lies on its axis, ticks ascend', async () => {
  fc.assert(
    fc.property(fc.array(positive, { minLength: 1, maxLength: 9 }), values => {
      for (const scale of [linearScale(Math.max(...values), [10, 90]), logScale(values, [10, 90])]) {
        const places = [...values, ...scale.ticks].map(value => scale.at(value))
        if (places.some(place => !(place >= 10 - 1e-6 && place <= 90 + 1e-6))) return false
        if (scale.ticks.length < 2 || scale.ticks.some((tick, i) => i > 0 && tick <= scale.ticks[i - 1]!)) return false
      }
      return true
    }),
  )
})

t.test('numbers are short and have three digits at most that mean something', async t => {
  const examples: [number, string][] = [
    [0, '0'],
    [0.25, '0.25'],
    [7.777, '7.78'],
    [950, '950'],
    [9_876, '9,876'],
    [10_000, '10k'],
    [61_234, '61.2k'],
    [999_499, '999k'],
    [1_000_000, '1M'],
    [5_000_000, '5M'],
  ]
  for (const [value, text] of examples) t.equal(compact(value), text)
})
