import t from 'tap'
import type { Contender } from '../../../benchmarks/contenders/contender.js'
import { differencesOf, type Standing } from '../../../benchmarks/harness/comparison.js'
import { comparisonText, contendersJson } from '../../../benchmarks/harness/comparison-report.js'
import type { Drained } from '../../../benchmarks/harness/drain.js'
import type { LoadResult } from '../../../benchmarks/harness/open-loop.js'

const contender = (name: string): Contender => ({
  name,
  label: `The ${name}`,
  guarantee: 'At least once.',
  lacks: ['timers'],
  start: () => Promise.reject(new Error('not in this test')),
})

const drained = (eventsPerSecond: number, differences: Drained['differences'] = {}): Drained => ({
  eventsPerSecond,
  cpuUsPerEvent: { engine: 10, nats: 4, redis: 2 },
  rssMb: 100,
  events: 1_000,
  isComplete: true,
  differences,
})

const loaded = (more: Partial<LoadResult> = {}): LoadResult => ({
  rate: 10_000,
  measurement: { eventsPerSecond: 10_000, cpuUsPerEvent: { engine: 20, nats: 5, redis: 3, generator: 4 }, rssMb: 110 },
  behindMs: [1, 2],
  isSustained: true,
  isFinished: true,
  sendLagMs: undefined,
  latency: latencyOf(1),
  ...more,
})

/** Milliseconds that stand in these relations to the median. */
const latencyOf = (p50: number) => ({
  brokerToTriggerMs: { count: 9, p50, p99: 5 * p50, p999: 8 * p50, most: 9 * p50 },
  dueToTriggerMs: { count: 9, p50: p50 + 1, p99: 5 * p50 + 1, p999: 8 * p50 + 1, most: 9 * p50 + 1 },
})

const standingOf = (...drains: Drained[]): Standing => ({
  contender: contender('peer'),
  drains,
  loads: [],
  loadDifferences: [],
})

t.test('programs find rate, processor time, latency, memory and guarantee of each contender', async t => {
  const standing: Standing = {
    ...standingOf(drained(900), drained(1_100), drained(1_000)),
    loads: [loaded(), loaded({ latency: latencyOf(3) }), loaded({ latency: latencyOf(1.5) })],
    loadDifferences: [{}],
  }
  t.match(contendersJson([standing]), {
    peer: {
      eventsPerSecond: 1_000,
      eventsPerSecondRange: [900, 1_000, 1_100],
      cpuUsPerEvent: { sum: 16, engine: 10, nats: 4, redis: 2 },
      latencyMs: { p50: 1.5, p99: 7.5, p999: 12 },
      latencyRangeMs: { p50: [1, 3], p99: [5, 15] },
      latencyAt: 10_000,
      rssMb: 100,
      guarantee: 'At least once.',
      lacks: ['timers'],
      isExact: true,
    },
  })
})

t.test('a load that was not sustained or not finished has no latency', async t => {
  for (const load of [loaded({ isSustained: false }), loaded({ isFinished: false })]) {
    const standing: Standing = { ...standingOf(drained(900)), loads: [load] }
    const { peer } = contendersJson([standing]) as { peer: { latencyMs?: unknown } }
    t.equal(peer.latencyMs, undefined)
    t.match(comparisonText([standing], new Map()), /not sustained/)
  }
})

t.test('who failed is named with the reason and has no figures', async t => {
  const standing: Standing = { ...standingOf(), failure: 'it does not start' }
  t.strictSame(Object.keys((contendersJson([standing]) as { peer: object }).peer), [
    'label',
    'guarantee',
    'lacks',
    'failure',
  ])
  t.match(comparisonText([standing], new Map()), /The peer\. At least once\..* timers.* It failed: it does not start/)
})

t.test('one wrong round is enough to be wrong', async t => {
  const right: Standing = { ...standingOf(drained(1), drained(1)), loadDifferences: [{}] }
  t.strictSame(differencesOf(right), {})
  t.strictSame(differencesOf({ ...right, drains: [drained(1), drained(1, { orders: -1 })] }), { orders: -1 })
  t.strictSame(differencesOf({ ...right, loadDifferences: [{}, { orders: 2 }] }), { orders: 2 })
  t.equal(differencesOf(standingOf()), undefined, 'nothing was checked')
})

t.test('a ratio of one round has no interval', async t => {
  const standing = standingOf(drained(900))
  const ratio = { median: 5, low: 4, high: 6, confidence: 0.75 }
  t.match(comparisonText([standing], new Map([['peer', ratio]])), /The peer +5\.00 +4\.00 to 6\.00 +75 %/)
  t.notMatch(comparisonText([standing], new Map([['peer', { ...ratio, confidence: 0 }]])), /4\.00 to 6\.00/)
})
