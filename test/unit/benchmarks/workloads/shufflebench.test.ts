import t from 'tap'
import { Matcher } from '../../../../benchmarks/workloads/shufflebench/matcher.js'
import { pointOf, timeOf } from '../../../../benchmarks/workloads/shufflebench/record.js'
import { makeRules, totalSelectivity, type Rules } from '../../../../benchmarks/workloads/shufflebench/rules.js'
import { shuffleBenchOf } from '../../../../benchmarks/workloads/shufflebench/shufflebench.js'
import { triggerText } from '../../../../benchmarks/workloads/outcome.js'
import { loadPipeline } from '../../../../engine/load-pipeline.js'
import { seeded } from '../../../../examples/shop/random.js'

/** By the definition of a rule, one after the other. */
function matchSlowly({ starts, widths }: Rules, point: number): number[] {
  return [...starts.keys()].filter(consumer => {
    const distance = point - starts[consumer]!
    return (distance < 0 ? distance + 1 : distance) < widths[consumer]!
  })
}

t.test('the matcher finds the consumers whose range holds the point', async t => {
  const rules = makeRules(200)
  const matcher = new Matcher(rules)
  const random = seeded(1)
  let matches = 0
  for (let i = 0; i < 5_000; i++) {
    const point = random.number()
    const found = [...matcher.match(point)].sort((a, b) => a - b)
    matches += found.length
    const expected = matchSlowly(rules, point)
    if (found.join() !== expected.join()) return t.strictSame(found, expected, `at ${point}`)
  }
  t.ok(Math.abs(matches / 5_000 - totalSelectivity) < 0.05, `${matches} matches`)
})

t.test('a range holds where it begins and not where it ends, over the end of the circle too', async t => {
  const matcher = new Matcher({ starts: Float64Array.of(0.25, 0.75), widths: Float64Array.of(0.25, 0.5) })
  const at = (point: number) => [...matcher.match(point)]
  t.strictSame([0, 0.2499, 0.25, 0.4999, 0.5, 0.7499, 0.75, 0.9999].map(at), [[1], [1], [0], [0], [], [], [1], [1]])
})

t.test('selectivities add up to a fifth, and every consumer has one', async t => {
  const { starts, widths } = makeRules(10_000)
  t.ok(Math.abs(widths.reduce((sum, width) => sum + width) - totalSelectivity) < 1e-9)
  t.ok(widths.every(width => width > 0))
  t.ok(starts.every(start => start >= 0 && start < 1))
  t.equal(new Set(starts).size, starts.length)
})

t.test('a record is 1 kB, its point is its first six bytes, and it was made a second ago', async t => {
  const [message] = [...shuffleBenchOf(10).messages({ seed: 1, events: 1, clock: () => 1_700_000_000_123 })]
  t.equal(message!.payload.length, 1024)
  t.equal(timeOf(message!.payload), 1_699_999_999_123)
  t.equal(pointOf(Buffer.from('800000000000ff', 'hex')), 0.5)
  t.equal(pointOf(Buffer.from('00000000000000', 'hex')), 0)
})

t.test('what is expected of a consumer is what its records make of it, every tenth time out loud', async t => {
  const consumers = 3
  const workload = shuffleBenchOf(consumers)
  const rules = makeRules(consumers)
  const tally = workload.tally()
  const states = Array.from({ length: consumers }, () => ({ updates: 0, total: 0, firstAt: 0, lastAt: 0 }))
  const triggers: string[] = []
  let now = 1_700_000_000_000
  for (const message of workload.messages({ seed: 2, events: 400, clock: () => now++ })) {
    tally.add(message)
    for (const consumer of matchSlowly(rules, pointOf(message.payload))) {
      const state = states[consumer]!
      state.updates++
      state.total += message.payload.readUInt32BE(8)
      state.lastAt = timeOf(message.payload)
      state.firstAt ||= state.lastAt
      const { updates, total } = state
      if (updates % 10 === 0) triggers.push(triggerText('tenth_update', `consumer_${consumer}`, { updates, total }))
    }
  }
  t.ok(triggers.length > 3, `${triggers.length} triggers`)
  const outcome = tally.outcome()
  t.strictSame(new Set(outcome.triggers.keys()), new Set(triggers))
  const seen = states.flatMap((state, consumer) =>
    state.updates > 0 ? [[`consumer_${consumer}`, state] as const] : [],
  )
  t.strictSame(new Map(outcome.profiles), new Map(seen))
  t.equal(
    tally.totals().updates,
    states.reduce((sum, { updates }) => sum + updates, 0),
  )
})

t.test('the pipeline has no problems', async t => {
  const { pipelineFile, partitions } = shuffleBenchOf(10)
  t.equal((await loadPipeline(pipelineFile)).pipeline.partitions, partitions)
})
