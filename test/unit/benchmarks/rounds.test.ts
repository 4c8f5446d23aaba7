import t from 'tap'
import { describeStolen, runRounds } from '../../../benchmarks/harness/rounds.js'

const silent = () => undefined
/** Stolen shares of the rounds as they are run, discarded ones included. */
const watching = (...shares: number[]) => {
  let round = 0
  return () => {
    const share = shares[round++] ?? 0
    return { share: () => share }
  }
}

function entrantsInto(order: string[], ...names: string[]): Map<string, () => Promise<number>> {
  return new Map(names.map(name => [name, async () => order.push(name)]))
}

t.test('every entrant runs once a round, and each round begins with the next one', async t => {
  const order: string[] = []
  const { rounds } = await runRounds(entrantsInto(order, 'a', 'b', 'c'), {
    rounds: 4,
    say: silent,
    name: 'test',
    watch: watching(),
  })
  t.equal(order.join(''), 'abcbcacababc')
  t.strictSame(
    rounds.map(({ results }) => [...results.keys()].sort()),
    Array.from({ length: 4 }, () => ['a', 'b', 'c']),
  )
  t.equal(rounds[1]!.results.get('a'), 6, 'a is the sixth in all: its result belongs to the second round')
})

t.test('a round with more than a twentieth stolen is repeated and reported, one with a twentieth is not', async t => {
  const order: string[] = []
  const result = await runRounds(entrantsInto(order, 'a', 'b'), {
    rounds: 2,
    say: silent,
    name: 'test',
    watch: watching(0.05, 0.051, 0.01),
  })
  t.equal(order.join(''), 'abbaba', 'the second round is run again as it was')
  t.strictSame(
    result.rounds.map(({ stolen }) => stolen),
    [0.05, 0.01],
  )
  t.strictSame(result.discarded, [0.051])
  t.match(describeStolen(result), /at most 5\.0 % .*: 1 \(5\.1 %\)$/)
})

t.test('after two repetitions the machine is taken as it is', async t => {
  const result = await runRounds(entrantsInto([], 'a'), {
    rounds: 2,
    say: silent,
    name: 'test',
    watch: watching(0.5, 0.6, 0.7, 0.8),
  })
  t.strictSame(result.discarded, [0.5, 0.6])
  t.strictSame(
    result.rounds.map(({ stolen }) => stolen),
    [0.7, 0.8],
  )
})

t.test('an entrant that fails ends the rounds', async t => {
  const entrants = new Map([['a', () => Promise.reject(new Error('broken'))]])
  await t.rejects(runRounds(entrants, { rounds: 1, say: silent, name: 'test' }), { message: 'broken' })
})
