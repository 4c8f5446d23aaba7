import t from 'tap'
import { sum } from '../../../../profiles/traits/sum.js'

const at = { at: 0, seq: 0, now: 0 }
const total = (...values: number[]) =>
  sum.read(
    values.reduce((state, value) => sum.fold(state, value, at), sum.empty()),
    0,
  )

t.test('decimals add up as on paper', async t => {
  t.equal(total(0.1, 0.2), 0.3)
  t.equal(total(19.99, 5.01, -25), 0)
  t.equal(total(-1.000001), -1.000001)
  t.equal(total(...new Array<number>(1000).fill(0.001)), 1)
})

t.test('large and small numbers do not swallow each other', async t => {
  t.equal(total(2 ** 52, 0.25, -(2 ** 52)), 0.25)
  t.equal(total(1e15, ...new Array<number>(10).fill(0.1), -1e15), 1)
})

t.test('what is finer than a millionth is rounded to the nearest', async t => {
  t.equal(total(0.000_000_4), 0)
  t.equal(total(0.000_000_6), 0.000_001)
  t.equal(total(0.999_999_9), 1)
})

t.test('a number beyond 2^53 is refused', async t => {
  t.equal(total(2 ** 53), 2 ** 53)
  t.throws(() => total(2 ** 53 + 2), TypeError)
  t.throws(() => total(-Infinity), TypeError)
})
