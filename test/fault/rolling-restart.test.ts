/** What a deployment does to a running pipeline. */
import t from 'tap'
import { chosen } from './nemesis/table.js'
import { runChaos } from './run/run.js'

/** The default of `batch.maxEvents`. */
const batchEvents = 500
/** The default of `lease.ttl`. */
const leaseMs = 5_000

t.test(
  'all replicas restarted under load, one after the other: nothing is worked on twice but a batch at most',
  async t => {
    const result = await runChaos({
      seed: 3,
      replicas: 3,
      partitions: 8,
      rate: 1_000,
      seconds: 6,
      users: 500,
      faults: chosen(['replicas_rolling_restart']).faults,
      everyMs: [1_000, 2_000],
      say: line => t.comment(line),
    })
    t.strictSame(result.violations, [], `logs are in ${result.folder}`)
    t.ok(result.faults['replicas_rolling_restart']! >= 1)
    t.ok(result.mostRepeated! <= batchEvents, `${result.mostRepeated} events by the hand-over with the most`)
    // Nobody waits for a lease to run out.
    const longestMs = Math.max(result.maxGapMs, result.startGapMs)
    t.ok(longestMs < leaseMs, `longest gap ${longestMs} ms`)
  },
)
