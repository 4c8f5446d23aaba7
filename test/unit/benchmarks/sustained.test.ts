import fc from 'fast-check'
import t from 'tap'
import { sustainedRate, type Trial } from '../../../benchmarks/harness/sustained.js'

const bounds = { from: 2_000, most: 200_000, trials: 20 }
/** Does up to `capacity` events a second, and notes which rates were tried. */
const contender =
  (capacity: number, tried: number[] = []) =>
  async (rate: number): Promise<Trial> => {
    tried.push(rate)
    return { isSustained: rate <= capacity, doneRate: Math.min(rate, capacity), isFinished: true }
  }

t.test('what is found is sustained, and a tenth more would not be', async t => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 100, max: 150_000 }), async capacity => {
      const { sustained: found, notSustained } = await sustainedRate(contender(capacity), bounds)
      t.ok(found <= capacity && found * 1.11 > capacity, `${found} of ${capacity}`)
      t.ok(notSustained! > capacity && notSustained! <= found * 1.11, `${notSustained} of ${capacity}`)
    }),
  )
})

t.test('too high a rate tells where to try next', async t => {
  const tried: number[] = []
  const { sustained: found } = await sustainedRate(contender(13_000, tried), bounds)
  t.strictSame(tried.slice(0, 5), [2_000, 4_000, 8_000, 16_000, 12_350], 'doubling, then 95 % of what was done')
  t.ok(found >= 12_350)
})

t.test('the search ends after so many trials with the best so far', async t => {
  const tried: number[] = []
  t.strictSame(await sustainedRate(contender(100_000, tried), { ...bounds, trials: 3 }), {
    sustained: 8_000,
    notSustained: undefined,
  })
  t.equal(tried.length, 3)
})

t.test('nothing above the most is tried', async t => {
  const tried: number[] = []
  t.match(await sustainedRate(contender(1e9, tried), { ...bounds, most: 5_000 }), { sustained: 5_000 })
  t.strictSame(tried, [2_000, 4_000, 5_000])
})

t.test('a load that could not be worked off ends the search', async t => {
  const stuck = async (rate: number) => ({ isSustained: rate < 8_000, doneRate: 5_000, isFinished: rate < 8_000 })
  t.strictSame(await sustainedRate(stuck, bounds), { sustained: 4_000, notSustained: 8_000 })
})

t.test('who sustains nothing gets 0', async t => {
  t.match(await sustainedRate(contender(0), { ...bounds, trials: 4 }), { sustained: 0 })
})
