/**
 * The protocol under thousands of schedules of faults, and what each of its rules is there for: without it, some schedule breaks
 * the promise. `MILLRACE_MODEL_SEED=303` replays one schedule and tells what was done in it.
 */
import { test } from 'tap'
import { judge, type Invariant } from './judge.js'
import { allRules, rules, type Rule } from './rules.js'
import { runSchedule } from './world.js'

const schedules = 5_000
/** Until the one that a missing rule breaks is found. */
const mostSchedules = 8_000

const replayed = process.env.MILLRACE_MODEL_SEED
if (replayed === undefined) {
  testEverything()
} else {
  test(`schedule ${replayed}`, async t => {
    const seed = Number(replayed)
    const { place, log } = runSchedule(seed)
    t.comment(JSON.stringify(place.faults))
    for (const line of log) t.comment(line)
    t.strictSame(judge(runSchedule(seed)), [])
    for (const rule of rules) {
      t.comment(`without ${rule}: ${JSON.stringify(judge(runSchedule(seed, new Set([rule]))))}`)
    }
  })
}

function testEverything(): void {
  test('no schedule of faults breaks the promise', async t => {
    const halts = new Set<string>()
    let takeovers = 0
    let settled = 0
    for (let seed = 1; seed <= schedules; seed++) {
      const world = runSchedule(seed)
      const violations = judge(world)
      if (violations.length > 0) t.fail(`MILLRACE_MODEL_SEED=${seed}`, { violations, log: world.log })
      const halted = world.owners.map(owner => owner.halted).find(reason => reason !== undefined)
      if (halted === undefined) settled++
      else halts.add(halted)
      takeovers += world.place.store.state.epoch - 1
    }
    t.ok(takeovers > schedules, 'owners take over from each other')
    t.ok(settled > 0.8 * schedules, 'most schedules lose nothing that matters')
    t.strictSame([...halts].sort(), ['anchor_mismatch', 'definition_rolled_back', 'stream_truncated'])
  })

  test('a seed gives the same schedule every time', async t => {
    for (const seed of [1, 2, 3]) {
      const [first, second] = [runSchedule(seed), runSchedule(seed)]
      t.strictSame(first.log, second.log)
      t.strictSame(first.place.store.state, second.place.store.state)
      t.strictSame(first.place.broker.published, second.place.broker.published)
    }
  })

  /** What breaks without the rule. The reasons say which faults must meet. */
  const broken: Record<Rule, readonly [invariant: Invariant, why: string]> = {
    gap_check: ['profile', 'an event lost in flight is jumped over'],
    compare_and_set: ['profile', 'after a failover the live owner writes on top of a state it has not seen'],
    token: ['trigger_missing', "a former owner's late commit shows in what the new owner reads"],
    publish_fence: ['trigger_twice', 'a publish of a former owner arrives after its id was forgotten'],
    last_seq: ['profile', 'a commit that broke off is folded again by the next owner'],
    anchor_check: ['not_halted', 'a stream that lost events has grown past its old end'],
    strict_redis: ['stuck', 'a request that is never answered is waited for'],
    pinned_definition: ['trigger_unexpected', 'Redis fell back behind what another definition has decided'],
    reader_anchor: ['not_halted', 'the stream loses events and grows again under a live owner'],
    trim_last: ['trigger_missing', 'a commit that broke off and is sent again trims twice'],
    note_order: ['profile', "a former owner's note hides that a definition took effect"],
    decided_before: ['trigger_unexpected', 'Redis fell back, and the next owner runs another definition'],
    batch_window: ['trigger_twice', "the rest of a former owner's batch arrives after its ids were forgotten"],
  }
  for (const rule of rules) {
    const [invariant, why] = broken[rule]
    test(`without ${rule}: ${why}`, async t => {
      t.ok(firstBroken(rule, invariant) <= mostSchedules, `a schedule ends with ${invariant}`)
    })
  }
}

/** The first seed whose schedule keeps the promise with all rules and breaks this invariant without one. */
function firstBroken(rule: Rule, invariant: Invariant): number {
  const without = new Set([rule])
  for (let seed = 1; seed <= mostSchedules; seed++) {
    const isBroken = judge(runSchedule(seed, without)).some(violation => violation.invariant === invariant)
    if (isBroken && judge(runSchedule(seed, allRules)).length === 0) return seed
  }
  return Infinity
}
