import t from 'tap'
import { latencyRatios, pointJson, pointsOf } from '../../../benchmarks/harness/load-points.js'
import type { LoadResult } from '../../../benchmarks/harness/open-loop.js'

const cpuUsPerEvent = { engine: 10, nats: 20, redis: 5, generator: 7 }

/** A run with these percentiles, milliseconds; without any it had no triggers. */
function run(rate: number, ms: number | undefined, isSustained = true): LoadResult {
  const percentiles = ms === undefined ? undefined : { count: 100, p50: ms, p99: 2 * ms, p999: 3 * ms, most: 4 * ms }
  return {
    rate,
    measurement: { eventsPerSecond: rate, cpuUsPerEvent, rssMb: 100 },
    behindMs: [0, 0],
    isSustained,
    isFinished: true,
    sendLagMs: percentiles,
    latency: percentiles && { brokerToTriggerMs: percentiles, dueToTriggerMs: percentiles },
  }
}

t.test('a point has the median and the range of its rounds, lowest rate first', async t => {
  const points = pointsOf([run(2_000, 1), run(1_000, 5), run(1_000, 1), run(1_000, 2)])
  t.strictSame(
    points.map(({ rate, rounds }) => [rate, rounds]),
    [
      [1_000, 3],
      [2_000, 1],
    ],
  )
  t.strictSame(points[0]!.brokerToTriggerMs!.p99, { median: 4, least: 2, most: 10 })
  t.equal(points[0]!.triggers, 300)
  t.match(pointJson(points[0]!), {
    latencyMs: { p50: 2, p99: 4, p999: 6 },
    latencyRangeMs: { p99: [2, 10] },
    cpuUsPerEvent: { sum: 35, generator: 7 },
    sendLagP99Ms: 4,
  })
})

t.test('a round that was not sustained does not count, and when most are not there is no figure', async t => {
  const [mostly] = pointsOf([run(1_000, 1), run(1_000, 3), run(1_000, 99, false)])
  t.equal(mostly!.sustainedRounds, 2)
  t.strictSame(mostly!.brokerToTriggerMs!.p50, { median: 2, least: 1, most: 3 })
  const [hardly] = pointsOf([run(1_000, 1), run(1_000, 99, false)])
  t.equal(hardly!.brokerToTriggerMs, undefined)
  const [silent] = pointsOf([run(1_000, undefined)])
  t.equal(silent!.brokerToTriggerMs, undefined, 'nor without triggers')
  t.strictSame(silent!.cpuUsPerEvent, cpuUsPerEvent)
})

t.test('a ratio is taken within a round, at rates that both bore there', async t => {
  const round = (own: readonly LoadResult[], other: readonly LoadResult[]) => ({
    results: new Map([
      ['own', own],
      ['other', other],
    ]),
  })
  const rounds = [
    round([run(1_000, 1), run(7_000, 1)], [run(1_000, 2), run(8_000, 1)]),
    round([run(1_000, 30)], [run(1_000, 10)]),
    round([run(1_000, 1)], [run(1_000, 1, false)]),
  ]
  const [at1000, ...others] = latencyRatios(rounds, 'own', 'other')
  t.equal(others.length, 0, 'half of the maximum is another rate for each')
  t.equal(at1000!.rate, 1_000)
  t.match(at1000!.times.p99, { low: 0.5, high: 3, confidence: 0.5 }, 'two rounds count')
})
