import { test } from 'tap'
import { freshMeta, type PartitionMeta } from '../../../../engine/index.js'
import { Names } from '../../../../engine/nats/names.js'
import type { LedgerEntry, StreamFacts } from '../../../../engine/nats/streams.js'
import { attach, checkStream, recordState, type AttachContext } from '../../../../engine/partition/attach.js'
import { withoutNothing } from '../../../../engine/protections.js'

const created = '2026-01-01T00:00:00Z'
const anchor = '40:1700000000000:abc'
type Ends = Pick<StreamFacts, 'created' | 'firstSeq' | 'lastSeq'>
const facts: Ends = { created, firstSeq: 1, lastSeq: 100 }
const factsOf = (ends: Ends): StreamFacts => ({
  ...ends,
  messages: ends.lastSeq - ends.firstSeq + 1,
  bytes: 1_000,
  duplicateWindowMs: 120_000,
  takesAtomicBatches: false,
  takesFastBatches: false,
  isReplicated: false,
})
/** Stands at stream sequence 40. */
const attached: PartitionMeta = {
  ...freshMeta('state-a'),
  position: 40,
  lastSeq: 40,
  streamCreated: created,
  anchor,
  definition: 'rules-a',
  partitions: 16,
}
const ledgerOf = (meta: PartitionMeta): LedgerEntry => ({
  stateId: meta.stateId,
  definition: meta.definition,
  definitionFrom: meta.definitionFrom,
  definitionChanges: meta.definitionChanges,
  streamCreated: meta.streamCreated,
  sequenceOffset: meta.sequenceOffset,
})

interface Broker {
  readonly facts?: Ends
  readonly ledger?: LedgerEntry | undefined
  readonly anchor?: string | undefined
}

function context(broker: Broker = {}, definition = 'rules-a'): AttachContext & { readonly recorded: LedgerEntry[] } {
  const recorded: LedgerEntry[] = []
  return {
    recorded,
    without: withoutNothing,
    streams: {
      settledFacts: async () => factsOf(broker.facts ?? facts),
      ledger: async () => ({
        entry: recorded.at(-1) ?? ('ledger' in broker ? broker.ledger : ledgerOf(attached)),
        streamSeq: recorded.length,
      }),
      anchor: async () => ('anchor' in broker ? broker.anchor : anchor),
      record: async (_subject, entry, afterSeq) => {
        if (afterSeq !== recorded.length) throw new Error('another record was made meanwhile')
        recorded.push(entry)
      },
    },
    names: new Names(),
    state: 'shop',
    partition: 3,
    partitions: 16,
    definition,
  }
}

/** What the first commit changes. */
const planned = async (...given: Parameters<typeof attach>) => (await attach(...given)).update

test('the first attach starts before the first event that the stream holds', async t => {
  const meta = freshMeta('state-a')
  t.strictSame(await planned(context({ ledger: undefined }), meta, -1), {
    position: 0,
    lastSeq: 0,
    streamCreated: created,
    anchor: '',
    definition: 'rules-a',
    definitionFrom: 0,
    definitionChanges: 1,
    partitions: 16,
  })
  const later = { created, firstSeq: 51, lastSeq: 100 }
  t.match(await planned(context({ ledger: undefined, facts: later }), meta, -1), { position: 50, lastSeq: 50 })
  const empty = { created, firstSeq: 101, lastSeq: 100 }
  t.match(await planned(context({ ledger: undefined, facts: empty }), meta, -1), { position: 100, lastSeq: 100 })
})

test('nothing changes when all is as it was', async t => {
  t.strictSame(await planned(context(), attached, -1), {})
  t.strictSame(
    await planned(context(), { ...attached, partitions: 0 }, -1),
    { partitions: 16 },
    'stored before it was counted',
  )
})

test('what is left of a generation that is being deleted is not gone on from, whatever was accepted', async t => {
  const accepted = 'generation_mismatch'
  await t.rejects(planned(context(), { ...attached, phase: 'dropped', accepted }, -1), { code: accepted })
})

test('a changed definition takes effect at the position', async t => {
  const change = { definition: 'rules-b', definitionFrom: 40, definitionChanges: attached.definitionChanges + 1 }
  t.strictSame(await planned(context({}, 'rules-b'), attached, 40), change)
  await t.rejects(
    planned(context({}, 'rules-b'), attached, 41),
    { code: 'definition_rolled_back' },
    'more was published than Redis knows: the events in between were decided by the old rules',
  )
  const accepted = { ...attached, accepted: 'definition_rolled_back' }
  t.strictSame(await planned(context({}, 'rules-b'), accepted, 41), { ...change, anchor: '', accepted: '' })
})

const checks: readonly (readonly [title: string, Ends, string | undefined, code: string | undefined])[] = [
  ['the stream ends at the position', { created, firstSeq: 1, lastSeq: 40 }, anchor, undefined],
  ['the stream ends before the position', { created, firstSeq: 1, lastSeq: 39 }, anchor, 'stream_truncated'],
  ['the stream begins after the position', { created, firstSeq: 41, lastSeq: 100 }, undefined, undefined],
  ['the stream begins one later', { created, firstSeq: 42, lastSeq: 100 }, undefined, 'events_lost'],
  ['the stream was emptied after the position', { created, firstSeq: 41, lastSeq: 40 }, undefined, undefined],
  ['the event at the position is another one', facts, '40:1700000000000:def', 'anchor_mismatch'],
  ['the event at the position is not stored any more', facts, undefined, undefined],
  ['the stream was made at another time', { ...facts, created: '2026-01-01T00:00:00.1Z' }, anchor, 'stream_recreated'],
]
for (const [title, broker, stored, code] of checks) {
  test(`${title}: ${code ?? 'nothing is wrong'}`, async t => {
    const found = await checkStream(context({ anchor: stored }), attached, factsOf(broker))
    t.equal(found?.code, code)
    const offset = { ...attached, position: 1_040, sequenceOffset: 1_000 }
    t.equal((await checkStream(context({ anchor: stored }), offset, factsOf(broker)))?.code, code, 'with an offset too')
    const attaching = planned(context({ facts: broker, anchor: stored }), attached, -1)
    if (code === undefined) t.strictSame(await attaching, {})
    else await t.rejects(attaching, { code })
  })
}

test('a state that NATS does not know by its name halts', async t => {
  const known = { ...ledgerOf(attached), stateId: 'state-b' }
  await t.rejects(planned(context({ ledger: known }), attached, -1), { code: 'state_lost' })
  await t.rejects(planned(context({ ledger: known }), freshMeta('state-c'), -1), { code: 'state_lost' })
  t.strictSame(
    await planned(context({ ledger: undefined }), attached, -1),
    {},
    'without a record there is nothing to miss',
  )
})

test('a Redis that does not know of a change of the definition halts', async t => {
  const changes = attached.definitionChanges + 1
  const record = { ...ledgerOf(attached), definition: 'rules-b', definitionFrom: 40, definitionChanges: changes }
  const change = { definition: 'rules-b', definitionFrom: 40, definitionChanges: changes + 1 }
  t.strictSame(
    await planned(context({ ledger: record }, 'rules-b'), attached, -1),
    change,
    'at this very position, again',
  )
  const code = 'definition_rolled_back'
  const later = { ...record, definitionFrom: 41 }
  await t.rejects(planned(context({ ledger: later }, 'rules-b'), attached, -1), { code }, 'from before the change')
  await t.rejects(planned(context({ ledger: record }), attached, -1), { code }, 'the old rules were not the last ones')
  const twice = { ...record, definition: 'rules-a', definitionChanges: changes + 1 }
  await t.rejects(planned(context({ ledger: twice }), attached, -1), { code }, 'changed there and back')
  const accepted = { ...attached, accepted: code }
  t.match(await planned(context({ ledger: later }, 'rules-b'), accepted, -1), change, 'accepted, it goes on as told')
})

test('an accepted loss is taken once, and only for its reason', async t => {
  const accepting = (accepted: string) => ({ ...attached, accepted })
  const remade = { created: 'later', firstSeq: 1, lastSeq: 5 }
  await t.rejects(planned(context({ facts: remade }), accepting('events_lost'), -1), { code: 'stream_recreated' })
  t.strictSame(await planned(context({ facts: remade }), accepting('stream_recreated'), -1), {
    position: 40,
    sequenceOffset: 40,
    streamCreated: 'later',
    anchor: '',
    accepted: '',
  })
  const gone = { created, firstSeq: 61, lastSeq: 100 }
  t.strictSame(await planned(context({ facts: gone }), accepting('events_lost'), -1), {
    position: 60,
    anchor: '',
    accepted: '',
  })
  const cut = { created, firstSeq: 1, lastSeq: 30 }
  t.strictSame(await planned(context({ facts: cut }), accepting('stream_truncated'), -1), {
    position: 40,
    sequenceOffset: 10,
    anchor: '',
    accepted: '',
  })
  const published = await planned(context({ facts: cut }), accepting('stream_truncated'), 50)
  t.match(published, { position: 50, sequenceOffset: 20 }, 'Redis is behind what was published, too')
  t.strictSame(await planned(context({ anchor: 'other' }), accepting('anchor_mismatch'), -1), {
    anchor: '',
    accepted: '',
  })
  t.strictSame(
    await planned(context(), accepting('events_lost'), -1),
    { accepted: '' },
    'one that was not needed is forgotten',
  )
})

test('whatever is accepted, the next event comes after every position so far', async t => {
  for (const [accepted, broker] of [
    ['stream_recreated', { created: 'later', firstSeq: 1, lastSeq: 5 }],
    ['stream_recreated', { created: 'later', firstSeq: 1_000, lastSeq: 2_000 }],
    ['stream_truncated', { created, firstSeq: 1, lastSeq: 30 }],
    ['events_lost', { created, firstSeq: 61, lastSeq: 100 }],
  ] as const) {
    const update = await planned(context({ facts: broker }), { ...attached, accepted }, -1)
    const after = { ...attached, ...update }
    t.ok(after.position >= attached.position, accepted)
    t.equal(await checkStream(context(), after, factsOf(broker)), undefined, `${accepted}: the stream fits then`)
  }
})

test('a lost state begins where its effects are recognized, or after all of them', async t => {
  const lost = { ...freshMeta('state-b'), accepted: 'state_lost' }
  const sameStream = { ...ledgerOf(attached), sequenceOffset: 5 }
  t.match(
    await planned(context({ ledger: sameStream }), lost, 70),
    { position: 5, lastSeq: 5, sequenceOffset: 5 },
    'the stream is the one it was computed from',
  )
  const otherStream = { ...ledgerOf(attached), streamCreated: 'earlier' }
  t.match(
    await planned(context({ ledger: otherStream }), lost, 70),
    { position: 70, lastSeq: 70, sequenceOffset: 70 },
    'the stream is another one: its first event comes after all that was published',
  )
  const late = { created, firstSeq: 101, lastSeq: 100 }
  t.match(await planned(context({ ledger: otherStream, facts: late }), lost, 70), { position: 100 })
})

test('a Redis from before a new stream was accepted comes to the same positions again', async t => {
  const later = { created: 'later', firstSeq: 1, lastSeq: 5 }
  const ledger = { ...ledgerOf(attached), streamCreated: 'later', sequenceOffset: 60 }
  const older = { ...attached, accepted: 'stream_recreated' }
  t.match(await planned(context({ facts: later, ledger }), older, 63), { position: 60, sequenceOffset: 60 })
})

test('a Redis from before a lost end was accepted halts, and goes on at the same event with the positions on record', async t => {
  const ledger = { ...ledgerOf(attached), sequenceOffset: 10 }
  const behind = context({ ledger })
  await t.rejects(planned(behind, attached, 90), { code: 'stream_truncated', message: /offset 10 .* offset 0$/ })
  const accepted = { ...attached, accepted: 'stream_truncated' }
  // Stream sequence 40 as before.
  t.strictSame(await planned(behind, accepted, 90), { position: 50, sequenceOffset: 10, accepted: '' })
  // The loss and what Redis does not know of, both accepted at once.
  const beyond = context({ ledger, facts: { created, firstSeq: 61, lastSeq: 100 } })
  await t.rejects(planned(beyond, attached, 90), { code: 'events_lost' })
  const skipped = await planned(beyond, { ...attached, accepted: 'events_lost' }, 90)
  t.match(skipped, { position: 70, sequenceOffset: 10, anchor: '' })
  const ahead = context({ ledger: ledgerOf(attached) })
  t.strictSame(await planned(ahead, { ...attached, sequenceOffset: 10, position: 50 }, 50), {}, 'NATS was not told yet')
})

test('a loss that was accepted once is accepted at the same event when Redis forgets it', async t => {
  // Ended at 30 then: position 40 is its sequence 30. Three events have come since.
  const ledger = { ...ledgerOf(attached), sequenceOffset: 10 }
  const grown = { created, firstSeq: 1, lastSeq: 33 }
  const accepted = { ...attached, accepted: 'stream_truncated' }
  t.match(await planned(context({ ledger, facts: grown }), accepted, 42), { sequenceOffset: 10, anchor: '' })
  const shorter = { created, firstSeq: 1, lastSeq: 25 }
  t.match(
    await planned(context({ ledger, facts: shorter }), accepted, 42),
    { position: 42, sequenceOffset: 17 },
    'and lost more',
  )
  // So many that the sequence of then is there again, with another event.
  const other = context({ ledger, anchor: '40:1700000000009:fff' })
  await t.rejects(planned(other, attached, 90), { code: 'anchor_mismatch' })
  const replaced = { ...attached, accepted: 'anchor_mismatch' }
  t.match(await planned(other, replaced, 90), { sequenceOffset: 10, anchor: '' })
})

test('NATS is told of a state once', async t => {
  const told = context({ ledger: undefined })
  const record = () => told.streams.ledger('MILLRACE', 'any')
  await recordState(told, attached, { entry: undefined, streamSeq: 0 })
  await recordState(told, attached, await record())
  t.strictSame(told.recorded, [ledgerOf(attached)])
  const before = await record()
  await recordState(told, { ...attached, definition: 'rules-b', definitionFrom: 40 }, before)
  const changed = { ...attached, definition: 'rules-b', definitionFrom: 40, streamCreated: 'later' }
  await recordState(told, changed, await record())
  t.equal(told.recorded.length, 3)
  await t.rejects(
    recordState(told, changed, before),
    /another record/,
    'whoever comes late does not hide what came since',
  )
})
