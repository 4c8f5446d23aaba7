import { setTimeout as sleep } from 'node:timers/promises'
import { mock } from 'node:test'
import { test } from 'tap'
import { Event } from '../../../../engine/index.js'
import type { Writes } from '../../../../engine/partition/committer.js'
import { Caution } from '../../../../engine/partition/trial.js'
import { Trials } from '../../../../engine/partition/trials.js'

/** A session after a death, and what it has recorded. */
function open(caution = cautious(), fails = false) {
  const records: (string | undefined)[] = []
  const commit = async ({ meta }: Writes): Promise<void> => {
    if (fails) throw new Error('the store is away')
    records.push(meta.trial)
  }
  const aborting = new AbortController()
  return { records, aborting, caution, trials: new Trials(caution, { commit }, async () => {}, aborting.signal) }
}

function cautious(): Caution {
  const caution = new Caution(true)
  caution.attach({ position: 7, trial: '' }, 500)
  return caution
}

const origin = { subject: 'events.0.web.visit', data: Buffer.from('deadly') }
const event = new Event(8, 'web', 'visit', 1_000, origin, undefined, '', undefined, 1_000)

/** Everything that waits for nothing has happened. */
const settled = () => sleep(0)

test('the record stands before the work, and the commit of the work takes it away', async t => {
  const { trials, records } = open()
  await trials.begin(7, 20)
  t.strictSame(records, ['7:20:1'])
  t.strictSame(trials.closing({ position: 27 }), { position: 27, trial: '' })
  await trials.end(20)
  t.strictSame(records, ['7:20:1'], 'without a commit of its own')
})

test('nothing is recorded when nothing is in doubt', async t => {
  const { trials, records } = open(new Caution(false))
  await trials.begin(7, 20)
  await trials.end(20)
  t.strictSame(records, [])
  t.strictSame(trials.closing({ position: 27 }), { position: 27 })
})

test('one trial at a time stands in a process, in the order of asking', async t => {
  const [first, second, third] = [open(), open(), open()]
  await first.trials.begin(7, 1)
  const later = [second.trials.begin(7, 2), third.trials.begin(7, 3)]
  await settled()
  t.strictSame([second.records, third.records], [[], []])
  await first.trials.end(1)
  await later[0]
  await settled()
  t.strictSame([second.records, third.records], [['7:2:1'], []])
  await second.trials.end(2)
  await later[1]
  t.strictSame(third.records, ['7:3:1'])
  await third.trials.end(3)
})

test('whoever is stopped while it waits for its turn neither keeps it nor gives away that of others', async t => {
  const [first, second, third] = [open(), open(), open()]
  await first.trials.begin(7, 1)
  const stopped = second.trials.begin(7, 2)
  const waits = third.trials.begin(7, 3)
  second.aborting.abort()
  await t.rejects(stopped)
  await settled()
  t.strictSame(third.records, [])
  await first.trials.end(1)
  await waits
  t.strictSame(third.records, ['7:3:1'])
  await third.trials.end(3)
})

test('work that throws is no death: the record is withdrawn and the turn passed on', async t => {
  const [first, second] = [open(), open()]
  await first.trials.begin(7, 1)
  await first.trials.abandon()
  t.strictSame(first.records, ['7:1:1', ''])
  await second.trials.begin(7, 1)
  await second.trials.end(1)
})

test('a store that is away keeps nobody from giving up', async t => {
  const [first, second] = [open(cautious(), true), open()]
  await t.rejects(first.trials.begin(7, 1), /away/)
  await first.trials.abandon()
  await second.trials.begin(7, 1)
  await second.trials.end(1)
})

test('while a dependency is away no record stands and nobody waits for a turn', async t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const [first, second] = [open(), open()]
  const nothing = { survivors: [], rejected: [] }
  let arrive = (): void => {}
  let working: Promise<unknown> | undefined
  await new Promise<void>(started => {
    working = first.trials.stage(7, [event], () => {
      started()
      return new Promise(resolve => (arrive = () => resolve(nothing)))
    })
  })
  const waits = second.trials.begin(7, 2)
  mock.timers.tick(5_999)
  t.strictSame(first.records, ['7:1:1'], 'patience')
  mock.timers.tick(1)
  await waits
  t.strictSame(first.records, ['7:1:1', ''])
  arrive()
  await working
  await first.trials.end(1)
  t.strictSame(first.records, ['7:1:1', ''])
  await second.trials.end(2)
})

test('what has killed twice alone becomes a dead letter without being given to any stage', async t => {
  const caution = new Caution(true)
  caution.attach({ position: 7, trial: '7:1:2' }, 500)
  const { trials, records } = open(caution)
  const staged = await trials.stage(7, [event], () => Promise.reject(new Error('given to a stage')))
  t.strictSame(staged, {
    survivors: [],
    rejected: [
      { event, stage: 'profile', reason: 'event_kills', detail: 'the process died whenever it processed this event' },
    ],
  })
  t.strictSame([records, trials.closing({})], [[], { trial: '' }])
  await trials.end(1)
})
