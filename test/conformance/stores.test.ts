/** What every profile store promises, run against each of them. */
import { test } from 'tap'
import type { Commit, ProfileStore } from '../../engine/index.js'
import { takeOver } from '../support/ownership.js'
import { bytes, kinds, next, oneOfEach, open } from './store-kinds.js'

/** Everything a partition holds, as far as the commits below touch it. */
async function contents(store: ProfileStore, partition = 0) {
  const texts = (found: readonly (Buffer | undefined)[]) => found.map(one => one?.toString())
  return {
    profiles: texts(await store.load(partition, ['ada', 'bob'])),
    timers: await store.timers(partition, -1, Infinity, 100),
    memory: (await store.memory(partition, 'dedupe', 0, 10)).map(({ bucket, bytes }) => [bucket, bytes.toString()]),
    outbox: texts(await store.outbox(partition)),
  }
}

const holdsOneOfEach = {
  profiles: ['A1', 'B1'],
  timers: [{ key: 'ada', dueAt: 500 }],
  memory: [[3, '12345678']],
  outbox: ['first', 'second'],
}

for (const { name, prepare } of kinds) {
  test(name, async suite => {
    const place = await prepare(suite)

    suite.test('a commit writes all its parts', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'owner', 'state')
      t.equal(await store.commit(0, next(meta, 'c1', oneOfEach)), 'ok')
      t.strictSame(await contents(store), holdsOneOfEach)
      const stored = (await store.readMeta(0))!
      t.match(stored, { ...oneOfEach.meta, commitId: 'c1', token: meta.token })
      t.ok(stored.renewals > meta.renewals, 'a commit shows that the owner lives')
      t.strictSame(await contents(store, 1), { profiles: [undefined, undefined], timers: [], memory: [], outbox: [] })
    })

    suite.test('every field of the meta comes back as it was written', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'owner', 'state')
      const written = {
        position: 2 ** 50,
        lastSeq: 2 ** 50 - 1,
        ordinal: 3,
        now: 1_700_000_000_999,
        sequenceOffset: -12,
        streamCreated: '2026-01-02T03:04:05.123456789Z',
        anchor: '9:1700000000999:ffffffff',
        definition: '0123456789abcdef',
        definitionFrom: 40,
        accepted: 'events_lost',
        phase: 'building' as const,
      }
      await store.commit(0, next(meta, 'c1', { meta: written }))
      t.match(await store.readMeta(0), written)
      await store.commit(0, next({ ...meta, ...written, commitId: 'c1' }, 'c2', { meta: { accepted: '' } }))
      t.match(await store.readMeta(0), { ...written, accepted: '' }, 'what is not named stays')
    })

    suite.test('a later commit replaces, deletes, moves, appends and trims', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'owner', 'state')
      await store.commit(0, next(meta, 'c1', oneOfEach))
      const second = next({ ...meta, position: 7, commitId: 'c1' }, 'c2', {
        meta: { position: 9 },
        profiles: [
          { key: 'ada', bytes: undefined },
          { key: 'bob', bytes: bytes('B2') },
        ],
        timers: [
          { key: 'ada', dueAt: Infinity },
          { key: 'bob', dueAt: 900 },
        ],
        memory: [
          { stage: 'dedupe', bucket: 3, bytes: bytes('abcdefgh') },
          { stage: 'dedupe', bucket: 4, bytes: bytes('ABCDEFGH') },
          { stage: 'other', bucket: 3, bytes: bytes('........') },
        ],
        outbox: [bytes('third')],
        trim: 1,
      })
      t.equal(await store.commit(0, second), 'ok')
      t.strictSame(await contents(store), {
        profiles: [undefined, 'B2'],
        timers: [{ key: 'bob', dueAt: 900 }],
        memory: [
          [3, '12345678abcdefgh'],
          [4, 'ABCDEFGH'],
        ],
        outbox: ['second', 'third'],
      })
      const third = next({ ...meta, position: 9, commitId: 'c2' }, 'c3', {
        memory: [{ stage: 'dedupe', bucket: 3, bytes: undefined }],
        trim: 2,
      })
      t.equal(await store.commit(0, third), 'ok')
      t.match(await contents(store), { memory: [[4, 'ABCDEFGH']], outbox: [] })
      t.equal((await store.readMeta(0))!.position, 9, 'a commit need not move the position')
    })

    suite.test('a commit that was written is answered ok again and written once', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'owner', 'state')
      const first = next(meta, 'c1', oneOfEach)
      t.equal(await store.commit(0, first), 'ok')
      t.equal(await store.commit(0, first), 'ok')
      t.strictSame(await contents(store), holdsOneOfEach)
      const second = next({ ...meta, position: 7, commitId: 'c1' }, 'c2', { trim: 1 })
      t.equal(await store.commit(0, second), 'ok')
      t.equal(await store.commit(0, second), 'ok')
      t.strictSame((await contents(store)).outbox, ['second'], 'trimmed once')
    })

    const refusals: readonly (readonly [why: string, Partial<Commit>, outcome: string])[] = [
      ['the token is another one', { token: '1:somebody' }, 'fenced'],
      ['the token is one of the same epoch before a rollback', { token: '1:owner ' }, 'fenced'],
      ['the stored position is higher', { previousPosition: 0 }, 'conflict'],
      ['the stored position is lower', { previousPosition: 8 }, 'conflict'],
      ['the stored commit is another one', { previousCommitId: 'c0' }, 'conflict'],
      ['it builds on itself', { previousCommitId: 'c2' }, 'conflict'],
    ]
    for (const [why, change, outcome] of refusals) {
      suite.test(`nothing is written when ${why}`, async t => {
        const store = await open(t, place)
        const acquired = await takeOver(store, 0, 'owner', 'state')
        await store.commit(0, next(acquired, 'c1', oneOfEach))
        const before = await store.readMeta(0)
        const refused = next({ ...acquired, position: 7, commitId: 'c1' }, 'c2', {
          meta: { position: 20, anchor: 'x' },
          profiles: [
            { key: 'ada', bytes: undefined },
            { key: 'bob', bytes: bytes('B2') },
          ],
          timers: [{ key: 'ada', dueAt: Infinity }],
          memory: [
            { stage: 'dedupe', bucket: 3, bytes: bytes('abcdefgh') },
            { stage: 'dedupe', bucket: 4, bytes: undefined },
          ],
          outbox: [bytes('third')],
          trim: 1,
          ...change,
        })
        t.equal(await store.commit(0, refused), outcome)
        t.strictSame(await contents(store), holdsOneOfEach)
        t.strictSame(await store.readMeta(0), before)
      })
    }

    suite.test('a partition that nobody acquired takes no commit, no renewal and no acceptance', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'owner', 'state')
      t.equal(await store.commit(1, next(meta, 'c1', oneOfEach)), 'fenced')
      t.equal(await store.renew(1, meta.token, meta.commitId), 'fenced')
      t.equal(await store.accept(1, 'events_lost'), false)
      t.equal(await store.readMeta(1), undefined)
    })

    suite.test('a renewal counts for the owner only', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'owner', 'state')
      t.equal(await store.renew(0, meta.token, meta.commitId), 'ok')
      const renewed = (await store.readMeta(0))!
      t.strictSame(renewed, { ...meta, renewals: meta.renewals + 1 })
      t.equal(await store.renew(0, '1:somebody', meta.commitId), 'fenced')
      t.equal(await store.renew(0, meta.token, 'another commit'), 'conflict', 'an older copy is noticed')
      t.strictSame(await store.readMeta(0), renewed)
    })

    suite.test('an accepted loss is seen by the owner and does not disturb its next commit', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'owner', 'state')
      t.equal(await store.accept(0, 'stream_recreated'), true)
      t.strictSame(await store.readMeta(0), { ...meta, accepted: 'stream_recreated' })
      t.equal(await store.commit(0, next(meta, 'c1')), 'ok')
      t.equal((await takeOver(store, 0, 'other', 'state')).accepted, 'stream_recreated')
    })

    suite.test('profiles load in the order of the keys, absent ones as nothing', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'owner', 'state')
      const keys = ['plain', 'with:colon', 'with{brace}', 'ünïcode', ' ', 'a'.repeat(2_000), 'line\nbreak']
      const profiles = keys.map((key, i) => ({ key, bytes: Buffer.from([i, 0, 255, 128]) }))
      await store.commit(0, next(meta, 'c1', { profiles }))
      t.strictSame(await store.load(0, []), [])
      const asked = [...keys].reverse()
      const expected = asked.map(key => profiles.find(profile => profile.key === key)!.bytes)
      t.strictSame(await store.load(0, asked), expected, 'bytes are kept as they are')
      t.strictSame(await store.load(0, ['none', 'plain', 'plain']), [undefined, ...Array(2).fill(profiles[0]!.bytes)])
      t.strictSame(await store.load(1, ['plain']), [undefined], 'of this partition only')
    })

    suite.test('timers come by time and key, from `from` to `upTo`, both included, at most `limit`', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'owner', 'state')
      const at = (dueAt: number, ...keys: string[]) => keys.map(key => ({ key, dueAt }))
      const timers = [...at(30, 'd', 'c', 'b'), ...at(20, 'x'), ...at(10, 'y'), ...at(40, '\u{1f600}', '\uffee', 'a')]
      await store.commit(0, next(meta, 'c1', { timers }))
      t.strictSame(await store.timers(0, -1, 100, 100), [
        ...at(10, 'y'),
        ...at(20, 'x'),
        ...at(30, 'b', 'c', 'd'),
        ...at(40, 'a', '\uffee', '\u{1f600}'),
      ])
      t.strictSame(await store.timers(0, 11, 30, 100), [...at(20, 'x'), ...at(30, 'b', 'c', 'd')])
      t.strictSame(await store.timers(0, 10, 29, 100), [...at(10, 'y'), ...at(20, 'x')])
      t.strictSame(await store.timers(0, -1, 100, 3), [...at(10, 'y'), ...at(20, 'x'), ...at(30, 'b')])
      t.strictSame(await store.timers(0, 41, 100, 3), [])
      t.strictSame(await store.timers(1, -1, 100, 3), [])
    })

    suite.test('due times of today keep every millisecond', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'owner', 'state')
      const dueAt = 1_799_999_999_999
      await store.commit(0, next(meta, 'c1', { timers: [{ key: 'a', dueAt }] }))
      t.strictSame(await store.timers(0, dueAt, dueAt, 1), [{ key: 'a', dueAt }])
      t.strictSame(await store.timers(0, dueAt + 1, dueAt + 2, 1), [])
    })

    suite.test('memory comes by bucket, both ends included, absent ones left out', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'owner', 'state')
      const memory = [5, 3, 9, 4].map(bucket => ({ stage: 'dedupe', bucket, bytes: bytes(`bucket ${bucket}`) }))
      await store.commit(0, next(meta, 'c1', { memory }))
      const found = await store.memory(0, 'dedupe', 3, 8)
      t.strictSame(
        found.map(({ bucket, bytes }) => [bucket, bytes.toString()]),
        [
          [3, 'bucket 3'],
          [4, 'bucket 4'],
          [5, 'bucket 5'],
        ],
      )
      t.strictSame(await store.memory(0, 'dedupe', 6, 8), [])
      t.strictSame(await store.memory(0, 'dedupe', 8, 3), [], 'an empty range')
      t.strictSame(await store.memory(0, 'other', 3, 8), [])
      t.strictSame(await store.memory(1, 'dedupe', 3, 8), [])
    })

    suite.test('layouts are kept by id, once each', async t => {
      const store = await open(t, place)
      t.strictSame(await store.layouts(), [])
      const [one, two] = [
        { id: 4_294_967_295, json: '["a"]' },
        { id: 1, json: '["ü"]' },
      ] as const
      await store.saveLayout(one)
      await store.saveLayout(two)
      await store.saveLayout(one)
      const found = await store.layouts()
      t.strictSame(
        [...found].sort((a, b) => a.id - b.id),
        [two, one],
      )
    })

    suite.test('one commit takes 500 profiles, 1 MB and 10,000 entries', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'owner', 'state')
      const keys = Array.from({ length: 500 }, (_, i) => `key-${i}`)
      const profiles = keys.map((key, i) => ({ key, bytes: Buffer.alloc(2_100, i) }))
      const outbox = Array.from({ length: 10_000 }, (_, i) => bytes(`entry ${i}`))
      const timers = keys.map((key, i) => ({ key, dueAt: i }))
      t.equal(await store.commit(0, next(meta, 'c1', { profiles, outbox, timers })), 'ok')
      t.strictSame(
        await store.load(0, keys),
        profiles.map(profile => profile.bytes),
      )
      t.strictSame(await store.outbox(0), outbox)
      t.strictSame(await store.timers(0, -1, 1_000, 1_000), timers)
    })

    suite.test('what was handed to a commit may be changed afterwards', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'owner', 'state')
      const reused = bytes('before')
      await store.commit(0, next(meta, 'c1', { profiles: [{ key: 'ada', bytes: reused }], outbox: [reused] }))
      reused.write('after!')
      t.match(await contents(store), { profiles: ['before', undefined], outbox: ['before'] })
    })
  })
}
