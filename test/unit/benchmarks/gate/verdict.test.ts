import t from 'tap'
import { failureOf, judge, ratiosOf, spreadsOf, type Costs } from '../../../../benchmarks/gate/verdict.js'

const costs: Costs = { engine: 20, reader: 5, commit: 2, fold: 9, codec: 2 }
const baseline = { 'engine / ceilings': 1.25, 'fold / codec': 4.5, 'engine / codec': 10 }
const times = (factor: number, ...names: (keyof Costs)[]): Costs => ({
  ...costs,
  ...Object.fromEntries(names.map(name => [name, costs[name] * factor])),
})
const broken = (rounds: readonly Costs[]) => {
  const judged = judge(rounds, baseline)
  return Object.entries(judged).flatMap(([name, { isHeld }]) => (isHeld ? [] : [name]))
}

t.test('ratios are of processor times of one round', async t => {
  t.strictSame(ratiosOf(costs), baseline)
})

t.test('a slower or faster machine changes nothing', async t => {
  t.strictSame(ratiosOf(times(3, 'engine', 'reader', 'commit', 'fold', 'codec')), baseline)
})

t.test('the median over the rounds counts, not an outlier', async t => {
  t.strictSame(broken([costs, times(3, 'engine'), costs]), [])
  t.match(spreadsOf([costs, times(3, 'engine'), costs]), { 'engine / codec': { least: 10, median: 10, most: 30 } })
})

t.test('ten percent above the baseline is held, more is not', async t => {
  t.strictSame(broken([times(1.0999, 'engine')]), [])
  t.strictSame(broken([times(1.1001, 'engine')]), ['engine / ceilings', 'engine / codec'])
})

t.test('less than the baseline is held', async t => {
  t.strictSame(broken([times(0.5, 'engine', 'fold')]), [])
})

t.test('a slower fold, which is above and below the line, is seen by the codec loop', async t => {
  const slower = 1.2
  const all = { ...times(slower, 'fold'), engine: costs.engine + costs.fold * (slower - 1) }
  t.strictSame(broken([all]), ['fold / codec'])
})

t.test('a slower reader, which is above and below the line, is seen by the codec loop', async t => {
  const all = { ...times(1.5, 'reader'), engine: costs.engine + costs.reader * 0.5 }
  t.strictSame(broken([all]), ['engine / codec'])
})

t.test('a failure says which figure, by how much and with which spread', async t => {
  const rounds = [times(1.2, 'engine'), times(1.3, 'engine'), times(1.05, 'engine')]
  const failure = failureOf(judge(rounds, baseline))
  t.match(failure, 'engine / codec is 12.00 (10.50 to 13.00), 20 % above 10.00, some rounds were within')
  t.match(failure, 'engine / ceilings is 1.50')
  t.notMatch(failure, 'fold / codec')
  t.match(failureOf(judge([times(2, 'fold', 'engine')], baseline)), 'all rounds were beyond')
  t.equal(failureOf(judge([costs], baseline)), undefined)
})
