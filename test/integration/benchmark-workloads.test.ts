import { test, type Test } from 'tap'
import type { Contender } from '../../benchmarks/contenders/contender.js'
import { millrace } from '../../benchmarks/contenders/millrace.js'
import { publishBacklog } from '../../benchmarks/harness/backlog.js'
import { checkOutcome } from '../../benchmarks/harness/check-outcome.js'
import { Rig } from '../../benchmarks/harness/rig.js'
import { nexmarkQ0 } from '../../benchmarks/workloads/nexmark/nexmark.js'
import type { CheckedWorkload, Outcome } from '../../benchmarks/workloads/outcome.js'
import { shuffleBenchOf } from '../../benchmarks/workloads/shufflebench/shufflebench.js'
import { withAds } from '../../benchmarks/workloads/yahoo/with-ads.js'
import { yahooWindows } from '../../benchmarks/workloads/yahoo/windows.js'
import { eventually } from '../support/eventually.js'

const events = 3_000

interface WorkedOff {
  readonly rig: Rig
  readonly outcome: Outcome
}

/** All events, by the engine in its own process, which has stopped since. */
async function workOff(t: Test, workload: CheckedWorkload, contender: Contender = millrace): Promise<WorkedOff> {
  const tally = workload.tally()
  const rig = await Rig.start({ ...workload, tally: () => tally }, () => undefined)
  t.teardown(() => rig.stop())
  await publishBacklog(rig, { events, seed: 1, users: undefined })
  const entrant = await contender.start(await rig.site(contender.name))
  t.teardown(() => entrant.stop())
  await eventually('all events are worked off', async () => (await entrant.done()) === events)
  await entrant.stop()
  return { rig, outcome: tally.outcome() }
}

test('the Yahoo benchmark counts every view in its window, and a count that is off by one is found', async t => {
  const { rig, outcome } = await workOff(t, yahooWindows, withAds(millrace))
  t.ok(outcome.profiles.size >= 100)
  t.strictSame(await checkOutcome(rig, outcome), [])

  const [key, { views }] = [...outcome.profiles][0] as [string, { views: number }]
  const profiles = new Map(outcome.profiles).set(key, { views: views + 1 })
  t.strictSame(await checkOutcome(rig, { ...outcome, profiles }), [
    `1 profiles are wrong, such as ${key}: {"views":${views}} instead of {"views":${views + 1}}`,
  ])
  profiles.delete(key)
  t.match((await checkOutcome(rig, { ...outcome, profiles }))[0], `${profiles.size + 1} profiles are stored`)
})

test('ShuffleBench updates the consumers that match and emits every tenth update', async t => {
  const consumers = 20
  process.env['SHUFFLEBENCH_CONSUMERS'] = String(consumers)
  t.teardown(() => delete process.env['SHUFFLEBENCH_CONSUMERS'])
  const { rig, outcome } = await workOff(t, shuffleBenchOf(consumers))
  t.equal(outcome.profiles.size, consumers)
  t.ok(outcome.triggers.size > consumers)
  t.strictSame(await checkOutcome(rig, outcome), [])
})

test('Nexmark q0 passes every bid on once, and one too few is found', async t => {
  const { rig, outcome } = await workOff(t, nexmarkQ0)
  t.strictSame(await checkOutcome(rig, outcome), [])
  const [text, count] = [...outcome.triggers][0]!
  const triggers = new Map(outcome.triggers).set(text, count + 1)
  t.strictSame(await checkOutcome(rig, { ...outcome, triggers }), [
    `"${text}" was published ${count} times, not ${count + 1}`,
  ])
})
