import { test } from 'tap'
import { Event, reject, type Effects, type ProfileModel, type ProfileState } from '../../../../engine/index.js'
import { Names } from '../../../../engine/nats/names.js'
import { partitionOf } from '../../../../engine/nats/partitioning.js'
import type { OutboxEntry } from '../../../../engine/outbox/outbox-entry.js'
import { EffectCollector } from '../../../../engine/partition/effects.js'
import { Folder, type FoldRules, type PartitionMemory } from '../../../../engine/partition/fold.js'
import { ProfileCache } from '../../../../engine/partition/profile-cache.js'
import { StagedBatch } from '../../../../engine/partition/staged-batch.js'
import { TimerQueue } from '../../../../engine/partition/timers.js'
import type { RejectedEvent } from '../../../../engine/stages.js'

/** What has happened to a profile, in order. */
class Diary implements ProfileState {
  readonly loadedSeq = 0
  lastSeq = 0
  dueAt = Infinity
  storedBytes = 100
  readonly happened: string[] = []
  constructor(readonly key: string) {}
}

interface Order {
  /** Arms the timer for this moment. */
  readonly arm?: number
  readonly fails?: 'throws' | 'too_large'
}

/** Writes down what it is asked; events and timers trigger with what they are. */
const model: ProfileModel<Diary> = {
  name: 'diary',
  layout: { id: 1, json: '' },
  triggers: [],
  segments: [],
  traits: [],
  ttlMs: undefined,
  learnLayout: () => {},
  knowsLayout: () => true,
  create: key => new Diary(key),
  decode: key => new Diary(key),
  layoutOf: () => 1,
  encode: () => Buffer.alloc(0),
  isEmpty: () => false,
  hears: type => type !== 'unheard',
  view: () => Promise.reject(new Error('not asked')) as never,
  fold(state, event, now, effects: Effects) {
    const { arm, fails } = event.value as Order
    if (fails === 'throws') throw new Error('boom')
    if (fails === 'too_large') return reject('profile_too_large', 'much')
    state.happened.push(`event ${event.seq} of ${event.occurredAt} at ${now}`)
    state.lastSeq = event.seq
    if (arm !== undefined) state.dueAt = arm
    effects.trigger('event', now, {})
    return undefined
  },
  fire(state, now, effects) {
    state.happened.push(`timer of ${state.dueAt} at ${now}`)
    state.dueAt = Infinity
    effects.trigger('timer', now, {})
  },
}

interface Given extends Order {
  readonly at: number
  readonly key?: string
  readonly occurredAt?: number
  readonly type?: string
  readonly rejected?: boolean
  readonly dropped?: boolean
}

const maxAheadMs = 1_000

function open(change: Partial<FoldRules> = {}) {
  const effects = new EffectCollector(new Names(), {
    profile: 'diary',
    partition: 0,
    incarnation: 'test-00000000',
    sequenceOffset: 0,
    maxMessageBytes: 1_000_000,
  })
  const memory: PartitionMemory = {
    profiles: new ProfileCache(1_000, 1_000_000),
    timers: new TimerQueue(async () => []),
    effects,
    position: 0,
    lastSeq: 0,
    now: 0,
    poisoned: new Map(),
  }
  const rules = { model, partition: 0, partitions: 1, maxAheadMs, maxProfiles: 100, maxBytes: 1_000_000, ...change }
  const folder = new Folder(rules, memory)
  let seq = 0
  /** A batch of events, their profiles loaded. */
  const batchOf = (...given: Given[]): StagedBatch => {
    const events: Event[] = []
    const survivors: Event[] = []
    const rejected: RejectedEvent[] = []
    for (const { at, key = 'ada', type = 'b', occurredAt = at, ...order } of given) {
      const origin = { subject: 'events.0.a.b', data: Buffer.alloc(100) }
      events.push(new Event(++seq, 'a', 'b', at, origin, undefined, '', undefined, at))
      const decoded = events.at(-1)!.decoded(order, key, undefined, occurredAt).with({ type })
      if (order.rejected) rejected.push({ event: decoded, stage: 'decode', reason: 'bad', detail: '' })
      else if (!order.dropped) survivors.push(decoded)
      if (key !== '' && memory.profiles.peek(key) === undefined) memory.profiles.set(key, new Diary(key))
    }
    return new StagedBatch(
      { events, brokerMs: events.map(({ receivedAt }) => receivedAt + 0.5) },
      { survivors, rejected },
    )
  }
  const diary = (key = 'ada') => (memory.profiles.peek(key) as Diary).happened
  return { folder, memory, batchOf, diary }
}

const reasons = (entries: readonly OutboxEntry[]) => entries.map(({ subject }) => subject)

test('events are folded in order, each at its own time', async t => {
  const { folder, memory, batchOf, diary } = open()
  await memory.timers.cover(1_000)
  const batch = batchOf({ at: 10 }, { at: 10, key: 'bob' }, { at: 12, occurredAt: 3 })
  const fold = folder.fold(batch)
  t.strictSame(diary(), ['event 1 of 10 at 10', 'event 3 of 3 at 12'])
  t.strictSame(diary('bob'), ['event 2 of 10 at 10'])
  t.match(fold, { received: 3, applied: 3, lastBrokerMs: 12.5, appliedBrokerMs: [10.5, 10.5, 12.5] })
  t.strictSame(
    [...fold.changed].map(({ key }) => key),
    ['ada', 'bob'],
  )
  t.match(memory, { position: 3, lastSeq: 3, now: 12 })
  t.equal(batch.isDone, true)
})

test('an event of a type that nothing listens to changes no profile, and the position moves past it', async t => {
  const { folder, memory, batchOf, diary } = open()
  await memory.timers.cover(1_000)
  const fold = folder.fold(batchOf({ at: 10, type: 'unheard' }, { at: 11, key: 'bob', type: 'unheard' }))
  t.strictSame(diary(), [])
  t.equal(fold.changed.size, 0)
  t.match(fold, { received: 2, applied: 0 })
  t.equal(memory.position, 2)
})

test('a timer that is due fires before the event, at its own moment', async t => {
  const { folder, memory, batchOf, diary } = open()
  await memory.timers.cover(1_000)
  const fold = folder.fold(batchOf({ at: 10, arm: 20 }, { at: 19 }, { at: 20 }, { at: 30 }))
  t.strictSame(diary(), [
    'event 1 of 10 at 10',
    'event 2 of 19 at 19',
    'timer of 20 at 20',
    'event 3 of 20 at 20',
    'event 4 of 30 at 30',
  ])
  t.strictSame(
    fold.entries.map(({ seq, ordinal }) => [seq, ordinal]),
    [
      [1, 0],
      [2, 0],
      [2, 1],
      [3, 0],
      [4, 0],
    ],
    "the timer's effect follows the event before it",
  )
})

test('timers of several profiles fire by time, and of one moment by key', async t => {
  const { folder, memory, batchOf } = open()
  await memory.timers.cover(1_000)
  const fold = folder.fold(
    batchOf(
      { at: 1, key: 'c', arm: 20 },
      { at: 1, key: 'b', arm: 30 },
      { at: 1, key: 'a', arm: 30 },
      { at: 50, key: 'd' },
    ),
  )
  const timers = fold.entries.filter(({ subject }) => subject === 'triggers.timer.0')
  t.strictSame(
    timers.map(({ body }) => (JSON.parse(Buffer.from(body).toString()) as { key: string }).key),
    ['c', 'a', 'b'],
  )
})

test('a timer that was moved does not fire at its old moment', async t => {
  const { folder, memory, batchOf, diary } = open()
  await memory.timers.cover(1_000)
  folder.fold(batchOf({ at: 10, arm: 20 }, { at: 15, arm: 40 }, { at: 30 }))
  t.strictSame(diary(), ['event 1 of 10 at 10', 'event 2 of 15 at 15', 'event 3 of 30 at 30'])
})

test('without an event timers fire up to the moment, and no further', async t => {
  const { folder, memory, batchOf, diary } = open()
  await memory.timers.cover(1_000)
  folder.fold(batchOf({ at: 10, arm: 20 }))
  t.match(folder.fireUntil(19), { firedTimers: 0, received: 0, last: undefined })
  const fold = folder.fireUntil(20)
  t.match(fold, { firedTimers: 1, received: 0, last: undefined })
  t.equal(diary().at(-1), 'timer of 20 at 20')
  t.match(memory, { now: 20, position: 1 })
  t.strictSame(
    [...fold.rearmed].map(({ key }) => key),
    ['ada'],
    'the stored timer is to go',
  )
})

test('time does not go back behind a timer that has fired', async t => {
  const { folder, memory, batchOf, diary } = open()
  await memory.timers.cover(1_000)
  folder.fold(batchOf({ at: 10, arm: 20 }))
  folder.fireUntil(20)
  folder.fold(batchOf({ at: 15 }))
  t.equal(diary().at(-1), 'event 2 of 15 at 20')
})

test('an event waits for timers that are not loaded yet', async t => {
  const { folder, memory, batchOf, diary } = open()
  await memory.timers.cover(0)
  const later = 1_000_000
  const batch = batchOf({ at: 1 }, { at: later })
  t.equal(folder.fold(batch).received, 1)
  t.equal(batch.isDone, false)
  t.equal(folder.fold(batch).received, 0, 'and goes on waiting')
  await memory.timers.cover(later)
  t.equal(folder.fold(batch).received, 1)
  t.equal(diary().length, 2)
})

test('what is dropped moves the position and nothing else', async t => {
  const { folder, memory, batchOf } = open()
  await memory.timers.cover(1_000)
  const fold = folder.fold(batchOf({ at: 10, dropped: true }, { at: 11, dropped: true }))
  t.match(fold, { received: 2, applied: 0, entries: [] })
  t.equal(fold.changed.size, 0)
  t.match(memory, { position: 2, lastSeq: 2, now: 11 })
})

const bad: readonly (readonly [string, Given, string])[] = [
  ['that a stage rejected', { at: 10, rejected: true }, 'deadletters.decode.bad.0'],
  ['without a key', { at: 10, key: '' }, 'deadletters.profile.key_missing.0'],
  ['that lies too far ahead', { at: 10, occurredAt: 11 + maxAheadMs }, 'deadletters.profile.from_the_future.0'],
  ['that its profile has no room for', { at: 10, fails: 'too_large' }, 'deadletters.profile.profile_too_large.0'],
]
for (const [title, given, subject] of bad) {
  test(`an event ${title} becomes a dead letter, in its place`, async t => {
    const { folder, memory, batchOf, diary } = open()
    await memory.timers.cover(10_000)
    const fold = folder.fold(batchOf({ at: 9 }, given, { at: 11 }))
    t.strictSame(reasons(fold.entries), ['triggers.event.0', subject, 'triggers.event.0'])
    t.equal(fold.applied, 2)
    t.equal(diary().length, 2)
    t.equal(fold.entries[1]!.seq, 2)
  })
}

test('an event a little ahead is taken as just received', async t => {
  const { folder, memory, batchOf, diary } = open()
  await memory.timers.cover(10_000)
  folder.fold(batchOf({ at: 10, occurredAt: 10 + maxAheadMs }, { at: 11, occurredAt: 11 }))
  t.strictSame(diary(), ['event 1 of 10 at 10', 'event 2 of 11 at 11'])
})

test('a key of another partition is not folded', async t => {
  const key = Array.from({ length: 100 }, (_, i) => `k${i}`).find(one => partitionOf(one, 4) === 2)!
  const { folder, memory, batchOf } = open({ partitions: 4, partition: 1 })
  await memory.timers.cover(1_000)
  const fold = folder.fold(batchOf({ at: 10, key }))
  t.match(reasons(fold.entries), ['deadletters.profile.wrong_partition.0'])
  t.match(fold.entries[0]!.fields.join(), 'belongs to partition 2, not 1')
})

test('an event that made the definition throw is said, and skipped when it comes again', async t => {
  const first = open()
  await first.memory.timers.cover(1_000)
  t.throws(() => first.folder.fold(first.batchOf({ at: 9 }, { at: 10, fails: 'throws' })), { seq: 2, message: 'boom' })
  const again = open()
  await again.memory.timers.cover(1_000)
  again.memory.poisoned.set(2, 'boom')
  const fold = again.folder.fold(again.batchOf({ at: 9 }, { at: 10, fails: 'throws' }, { at: 11 }))
  t.strictSame(reasons(fold.entries), ['triggers.event.0', 'deadletters.profile.fold_error.0', 'triggers.event.0'])
  t.match(fold.entries[1]!.fields.join(), 'boom')
})

test('a fold stops between two events when enough profiles have changed', async t => {
  const { folder, memory, batchOf } = open({ maxProfiles: 2 })
  await memory.timers.cover(1_000)
  const batch = batchOf({ at: 1, key: 'a' }, { at: 1, key: 'b' }, { at: 1, key: 'c' }, { at: 1, key: 'a' })
  t.equal(folder.fold(batch).received, 2)
  t.equal(memory.position, 2)
  t.equal(folder.fold(batch).received, 2)
  t.equal(batch.isDone, true)
})

test('a fold stops when enough bytes are to be written, profiles or dead letters', async t => {
  const { folder, memory, batchOf } = open({ maxBytes: 250 })
  await memory.timers.cover(1_000)
  const profiles = batchOf(...['a', 'b', 'c', 'd'].map(key => ({ at: 1, key })))
  t.ok(folder.fold(profiles).received < 4)
  while (!profiles.isDone) folder.fold(profiles)
  const letters = batchOf(...Array.from({ length: 10 }, () => ({ at: 1, rejected: true })))
  t.equal(folder.fold(letters).received, 1, 'a letter of 100 bytes has headers of more than 150')
})

test('timers stop at the bound too, and the event waits for the rest', async t => {
  const { folder, memory, batchOf } = open({ maxProfiles: 2 })
  await memory.timers.cover(1_000)
  for (const key of ['a', 'b', 'c']) folder.fold(batchOf({ at: 1, key, arm: 5 }))
  const batch = batchOf({ at: 10, key: 'd' })
  t.match(folder.fold(batch), { firedTimers: 2, received: 0 })
  t.match(folder.fold(batch), { firedTimers: 1, received: 1 })
})

test('timers stop at one whose profile is not loaded', async t => {
  const { folder, memory, batchOf, diary } = open()
  await memory.timers.cover(1_000)
  for (const key of ['a', 'b', 'c']) folder.fold(batchOf({ at: 1, key, arm: 5 }))
  const b = memory.profiles.peek('b')!
  memory.profiles.delete('b')
  const batch = batchOf({ at: 10, key: 'd' })
  t.match(folder.fold(batch), { firedTimers: 1, received: 0 })
  t.match(folder.fireUntil(20), { firedTimers: 0 })
  memory.profiles.set('b', b as Diary)
  t.match(folder.fold(batch), { firedTimers: 2, received: 1 })
  for (const key of 'abc') t.equal(diary(key).at(-1), 'timer of 5 at 5')
})

test('what a timer has changed stays in memory when the cache is trimmed', async t => {
  const { folder, memory, batchOf } = open()
  await memory.timers.cover(1_000)
  for (const key of ['a', 'b', 'c']) folder.fold(batchOf({ at: 1, key, arm: 5 }))
  // Grows to half of the bound: all that was used before becomes the old half.
  for (let i = 0; i < 500; i++) memory.profiles.set(`other-${i}`, new Diary(`other-${i}`))
  memory.profiles.trim()
  const { changed } = folder.fireUntil(20)
  t.equal(changed.size, 3)
  for (let i = 0; i < 500; i++) memory.profiles.set(`more-${i}`, new Diary(`more-${i}`))
  memory.profiles.trim()
  for (const state of changed) t.equal(memory.profiles.peek(state.key), state)
})

test('timers stop when enough bytes are to be written', async t => {
  const { folder, memory, batchOf } = open({ maxBytes: 1 })
  await memory.timers.cover(1_000)
  for (const key of ['a', 'b', 'c']) folder.fold(batchOf({ at: 1, key, arm: 5 }))
  t.match(folder.fireUntil(20), { firedTimers: 1 })
  t.match(folder.fireUntil(20), { firedTimers: 1 })
})

test('of a timer whose profile has gone the store learns that nothing is to come', async t => {
  const { folder, memory } = open()
  await memory.timers.cover(1_000)
  memory.timers.arm('gone', 5)
  memory.profiles.set('gone', new Diary('gone'))
  const fold = folder.fireUntil(20)
  t.match(fold, { firedTimers: 0 })
  t.strictSame(
    [...fold.rearmed].map(({ key, dueAt }) => [key, dueAt]),
    [['gone', Infinity]],
  )
  t.equal(fold.changed.size, 0)
})

test('however a stream is cut into batches, the outcome is the same', async t => {
  const given: Given[] = Array.from({ length: 60 }, (_, i) => ({
    at: i * 3,
    key: 'abcde'[i % 5]!,
    ...(i % 4 === 0 ? { arm: i * 3 + 10 } : {}),
    rejected: i % 7 === 0,
    dropped: i % 11 === 0,
  }))
  const run = async (size: number, change: Partial<FoldRules> = {}) => {
    const { folder, memory, batchOf, diary } = open(change)
    await memory.timers.cover(10_000)
    const entries: OutboxEntry[] = []
    for (let at = 0; at < given.length; at += size) {
      const batch = batchOf(...given.slice(at, at + size))
      while (!batch.isDone) entries.push(...folder.fold(batch).entries)
    }
    return { entries: entries.map(({ fields, subject }) => [subject, ...fields]), diaries: [...'abcde'].map(diary) }
  }
  const whole = await run(60)
  t.ok(whole.entries.length > 50)
  for (const size of [1, 2, 7, 59]) t.strictSame(await run(size), whole, `batches of ${size}`)
  t.strictSame(await run(60, { maxProfiles: 1 }), whole, 'commits of one profile')
})
