/** Generations of a pipeline's state beside each other: what every profile store promises. */
import { test } from 'tap'
import { takeOver } from '../support/ownership.js'
import { bytes, kinds, next, oneOfEach, open } from './store-kinds.js'

for (const { name, prepare } of kinds) {
  test(name, async suite => {
    const place = await prepare(suite)

    suite.test('generations share nothing, and each is found again', async t => {
      const first = await open(t, place)
      const second = first.at(2)
      t.equal(first.at(1), first)
      const meta = await takeOver(first, 0, 'a', 'state-a')
      await first.commit(0, next(meta, 'c1', oneOfEach))
      await first.beat('replica', '1')
      await first.saveLayout({ id: 1, json: '[]' })
      t.equal(await second.readMeta(0), undefined)
      t.strictSame(await second.load(0, ['ada']), [undefined])
      t.strictSame(await second.timers(0, -1, Infinity, 10), [])
      t.strictSame(await second.outbox(0), [])
      t.strictSame(await second.memory(0, 'dedupe', 0, 10), [])
      t.strictSame([...(await second.beat('replica', '9'))], [])
      t.strictSame(await second.layouts(), [])
      const other = await takeOver(second, 0, 'b', 'state-b')
      await second.commit(0, next(other, 'c1', { profiles: [{ key: 'ada', bytes: bytes('second') }] }))
      t.strictSame(await first.load(0, ['ada']), [bytes('A1')])
      t.strictSame(await first.at(2).load(0, ['ada']), [bytes('second')])
      t.equal((await second.at(1).readMeta(0))!.stateId, 'state-a')
    })

    suite.test('a sealed partition keeps what it holds, and nobody can own it or write to it', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'a', 'state')
      await store.commit(0, next(meta, 'c1', oneOfEach))
      t.equal(await store.seal(0, true), 'sealed')
      const sealed = (await store.readMeta(0))!
      t.match(sealed, { ...oneOfEach.meta, phase: 'sealed', token: '', replica: '', commitId: 'c1' })
      t.ok(sealed.renewals > meta.renewals + 1, 'others see that something has happened')
      const stood = { ...meta, ...oneOfEach.meta, commitId: 'c1' }
      t.equal(await store.commit(0, next(stood, 'c2')), 'fenced')
      t.equal(await store.renew(0, meta.token, 'c1'), 'fenced')
      t.equal(await store.release(0, meta.token), 'fenced')
      t.equal(await store.acquire(0, { replica: 'r', id: 'b', stateId: 's', expected: '' }), undefined)
      t.equal(await store.seal(0, true), 'sealed', 'once more changes nothing')
      t.strictSame(await store.readMeta(0), sealed)
      t.strictSame(await store.load(0, ['ada']), [bytes('A1')])
      t.strictSame(await store.outbox(0), oneOfEach.outbox)
    })

    suite.test('a partition is not sealed while a timer that is due has not fired, unless told to', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'a', 'state')
      const at = (now: number) => ({ meta: { now }, timers: [{ key: 'ada', dueAt: 500 }] })
      await store.commit(0, next(meta, 'c1', at(499)))
      await store.commit(0, next({ ...meta, commitId: 'c1' }, 'c2', at(500)))
      t.equal(await store.seal(0, false), 'busy')
      t.match(await store.readMeta(0), { phase: '', token: meta.token })
      await store.commit(0, next({ ...meta, commitId: 'c2' }, 'c3', { timers: [{ key: 'ada', dueAt: 501 }] }))
      t.equal(await store.seal(0, false), 'sealed')

      const other = await takeOver(store, 1, 'a', 'state')
      await store.commit(1, next(other, 'c1', at(500)))
      t.equal(await store.seal(1, true), 'sealed')
    })

    suite.test('neither one that is being built nor one that never was can be sealed', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'a', 'state')
      await store.commit(0, next(meta, 'c1', { meta: { phase: 'building' } }))
      t.equal(await store.seal(0, true), 'building')
      t.match(await store.readMeta(0), { phase: 'building', token: meta.token })
      t.equal(await store.seal(1, true), 'absent')
      t.equal(await store.readMeta(1), undefined)
    })

    suite.test('a partition that is being built is dropped for good, and only such a one is', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'a', 'state')
      t.equal(await store.drop(0), false, 'it is in force')
      t.match(await store.readMeta(0), { phase: '', token: meta.token })
      await store.commit(0, next(meta, 'c1', { ...oneOfEach, meta: { ...oneOfEach.meta, phase: 'building' } }))
      t.equal(await store.drop(0), true)
      const dropped = (await store.readMeta(0))!
      t.match(dropped, { ...oneOfEach.meta, phase: 'dropped', token: '', replica: '', commitId: 'c1' })
      t.ok(dropped.renewals > meta.renewals + 1, 'others see that something has happened')
      t.equal(await store.commit(0, next({ ...meta, ...oneOfEach.meta, commitId: 'c1' }, 'c2')), 'fenced')
      t.equal(await store.drop(0), true, 'once more changes nothing')
      t.strictSame(await store.readMeta(0), dropped)
      t.equal(await store.seal(0, true), 'dropped')
      await store.clear()
      t.strictSame(await store.readMeta(0), dropped, 'the mark outlasts what is deleted')

      await takeOver(store, 1, 'a', 'state')
      await store.seal(1, true)
      t.equal(await store.drop(1), false, 'it is sealed')
      t.match(await store.readMeta(1), { phase: 'sealed' })
      t.equal(await store.drop(2), false)
      t.equal(await store.readMeta(2), undefined)
    })

    suite.test('clearing a generation leaves its metas and the other generations', async t => {
      const first = await open(t, place)
      const stores = [first, first.at(2), first.at(11)]
      // Looks like a key of another generation, of another partition and of a meta.
      const tricky = ['}~2:p:ada', '1}:p:ada', 'meta', '}:meta']
      for (const store of stores) {
        for (const partition of [0, 1]) {
          const meta = await takeOver(store, partition, 'a', 'state')
          const profiles = ['ada', ...tricky].map(key => ({ key, bytes: bytes(key) }))
          await store.commit(partition, next(meta, 'c1', { ...oneOfEach, profiles }))
        }
        await store.saveLayout({ id: 1, json: '[]' })
        await store.beat('replica', '1')
      }
      const [, second] = stores
      // In each of two partitions five profiles, one bucket, the timers, the outbox.
      t.equal(await second!.clear(), 16)
      t.equal(await second!.clear(), 0)
      for (const partition of [0, 1]) {
        t.match(await second!.readMeta(partition), { commitId: 'c1' })
        t.strictSame(await second!.load(partition, ['ada']), [undefined])
        t.strictSame(await second!.timers(partition, -1, Infinity, 10), [])
        t.strictSame(await second!.outbox(partition), [])
      }
      t.strictSame(await second!.layouts(), [])
      for (const store of [first, stores[2]!]) {
        for (const key of ['ada', ...tricky]) t.strictSame(await store.load(1, [key]), [bytes(key)], key)
        t.strictSame(await store.outbox(1), oneOfEach.outbox)
        t.equal((await store.layouts()).length, 1)
      }
      await second!.forget(0)
      t.equal(await second!.readMeta(0), undefined)
      t.ok(await second!.readMeta(1))
      t.ok(await first.readMeta(0))
    })
  })
}
