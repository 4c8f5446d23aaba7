import { test } from 'tap'
import { generationSuffix, isComplete, requireFollows, stateNameOf } from '../../../engine/generation.js'
import { freshMeta, type Commit, type PartitionMeta } from '../../../engine/index.js'
import { Forerunner, lookMs, succeed } from '../../../engine/partition/forerunner.js'
import { MemoryStore } from '../../../profiles/memory-store.js'

const meta = (change: Partial<PartitionMeta> = {}): PartitionMeta => ({
  ...freshMeta('state'),
  streamCreated: 'then',
  sequenceOffset: 7,
  position: 40,
  now: 1_000,
  ...change,
})

test('the first generation has the bare name, the others are told apart by it', async t => {
  t.equal(generationSuffix(1), '')
  t.equal(stateNameOf('shop', 1), 'shop')
  t.equal(stateNameOf('shop', 12), 'shop~12')
})

test('a generation follows one that counts as it does', async t => {
  const before = meta()
  t.equal(requireFollows(meta(), before), before)
  for (const other of [undefined, meta({ streamCreated: 'later' }), meta({ sequenceOffset: 8 })]) {
    t.throws(() => requireFollows(meta(), other), { code: 'generation_mismatch' })
  }
})

test('building is complete when the one before is sealed and nothing of it is left, in the stream and in time', async t => {
  const sealed = meta({ phase: 'sealed' })
  t.equal(isComplete(meta(), sealed), true)
  t.equal(isComplete(meta(), meta()), false, 'it may still go on')
  t.equal(isComplete(meta({ position: 39 }), sealed), false)
  t.equal(isComplete(meta({ now: 999 }), sealed), false, 'timers that fired over there have not fired here')
})

/** The first generation as it was left, and the second one being built. */
async function place(change: Partial<PartitionMeta>) {
  const store = new MemoryStore()
  const { token } = (await store.acquire(0, { replica: 'r', id: 'a', stateId: 'one', expected: '' }))!
  const fields = { ...meta(), ordinal: 3, ...change }
  const { position, now, ordinal, streamCreated, sequenceOffset, phase } = fields
  const commit: Commit = {
    ...{ token, commitId: 'c1', previousPosition: 0, previousCommitId: '', trim: 0 },
    ...{ profiles: [], profileTtlMs: undefined, timers: [], memory: [], outbox: [Buffer.from('waiting')] },
    meta: { position, now, ordinal, streamCreated, sequenceOffset, phase },
  }
  await store.commit(0, commit)
  return { store: store.at(2), before: { state: 'shop', meta: (await store.readMeta(0))! } }
}

test('the one that follows takes over what waits, and counts on behind the last effect', async t => {
  const { store, before } = await place({ phase: 'sealed' })
  const found = await succeed(store, 2, meta({ lastSeq: 12 }), { partition: 0, before, hasChanged: false })
  t.strictSame(found.update, { phase: '', lastSeq: 40, ordinal: 3 })
  t.strictSame(found.outbox.map(String), ['waiting'])
  t.equal(found.forerunner, undefined)
})

test('until then it takes over nothing', async t => {
  const { store, before } = await place({})
  const found = await succeed(store, 2, meta(), { partition: 0, before, hasChanged: false })
  t.match({ update: found.update, outbox: found.outbox }, { update: {}, outbox: [] })
  t.match(found.forerunner, { position: 40, now: 1_000, isSealed: false })
  await t.rejects(succeed(store, 2, meta(), { partition: 0, before, hasChanged: true }), {
    code: 'generation_mismatch',
  })
})

test('the forerunner is read a few times a second, and says whether it has moved', async t => {
  let stored: PartitionMeta | undefined = meta()
  let reads = 0
  const forerunner = new Forerunner(meta(), meta({ position: 0 }), async () => {
    reads++
    return stored
  })
  t.equal(await forerunner.look(0), false, 'it stands where it stood')
  stored = meta({ position: 50 })
  t.equal(await forerunner.look(lookMs - 1), false)
  t.equal(reads, 1, 'not yet')
  t.equal(await forerunner.look(lookMs), true)
  t.equal(forerunner.position, 50)
  stored = meta({ position: 50, phase: 'sealed' })
  t.equal(await forerunner.look(2 * lookMs), true)
  t.equal(forerunner.isSealed, true)
  stored = undefined
  await t.rejects(forerunner.look(3 * lookMs), { code: 'generation_mismatch' })
})
