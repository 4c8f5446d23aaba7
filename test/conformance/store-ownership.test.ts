/** Who owns a partition, and who lives: what every profile store promises. */
import { test } from 'tap'
import { takeOver } from '../support/ownership.js'
import { kinds, next, oneOfEach, open } from './store-kinds.js'

for (const { name, prepare } of kinds) {
  test(name, async suite => {
    const place = await prepare(suite)

    suite.test('the first acquisition makes a state, later ones keep it and take it over', async t => {
      const store = await open(t, place)
      t.equal(await store.readMeta(4), undefined, 'nothing before')
      const first = await takeOver(store, 4, 'owner-a', 'state-a')
      t.match(first, {
        token: '1:owner-a',
        stateId: 'state-a',
        commitId: '',
        position: 0,
        lastSeq: 0,
        ordinal: 0,
        now: 0,
        sequenceOffset: 0,
        streamCreated: '',
        anchor: '',
        definition: '',
        definitionFrom: 0,
        definitionChanges: 0,
        accepted: '',
        phase: '',
      })
      await store.commit(4, next(first, 'c1', oneOfEach))
      const second = await takeOver(store, 4, 'owner-b', 'state-b')
      t.match(second, { token: '2:owner-b', stateId: 'state-a', commitId: 'c1', ...oneOfEach.meta })
      t.ok(second.renewals > first.renewals, 'others see that somebody lives')
      t.strictSame(await store.readMeta(4), second)
      t.equal(await store.tokenRead(4), second.token)
      t.equal(await store.tokenRead(5), '', 'never owned')
      t.equal(await store.readMeta(5), undefined, 'other partitions stay as they are')
    })

    suite.test('of several that claim at once one becomes the owner, the others are told', async t => {
      const store = await open(t, place)
      const claims = ['a', 'b', 'c'].map(id => ({ replica: `replica-${id}`, id, stateId: 'state', expected: '' }))
      const metas = await Promise.all(claims.map(claim => store.acquire(0, claim)))
      const won = metas.filter(meta => meta !== undefined)
      t.equal(won.length, 1)
      t.strictSame(await store.readMeta(0), won[0], 'those who lost have written nothing')
    })

    suite.test('a claim is compared with the token that was seen', async t => {
      const store = await open(t, place)
      const first = await takeOver(store, 0, 'a', 'state')
      const claim = { replica: 'replica-b', id: 'b', stateId: 'state' }
      t.equal(await store.acquire(0, { ...claim, expected: '' }), undefined, 'owned meanwhile')
      t.equal(await store.acquire(0, { ...claim, expected: '9:a' }), undefined, 'another owner')
      const second = (await store.acquire(0, { ...claim, expected: first.token }))!
      t.match(second, { token: '2:b', replica: 'replica-b' })
      t.strictSame(
        await store.acquire(0, { ...claim, expected: first.token }),
        second,
        'the same claim again is answered again: the first reply may have been lost',
      )
      t.equal(await store.commit(0, next(first, 'late')), 'fenced')
    })

    suite.test('a partition that was given up is free, and only its owner can give it up', async t => {
      const store = await open(t, place)
      const meta = await takeOver(store, 0, 'a', 'state')
      await store.commit(0, next(meta, 'c1', oneOfEach))
      t.equal(await store.release(0, '1:b'), 'fenced')
      t.equal(await store.release(0, meta.token), 'ok')
      const free = (await store.readMeta(0))!
      t.match(free, { token: '', replica: '', commitId: 'c1', ...oneOfEach.meta })
      t.ok(free.renewals > meta.renewals, 'others see that something has happened')
      t.equal(await store.release(0, meta.token), 'fenced', 'it is not twice the owner')
      t.equal(await store.commit(0, next({ ...meta, ...oneOfEach.meta, commitId: 'c1' }, 'c2')), 'fenced')
      t.equal(await store.renew(0, meta.token, 'c1'), 'fenced')
      const next2 = await store.acquire(0, { replica: 'r', id: 'b', stateId: 'state', expected: '' })
      t.match(next2, { token: '2:b', ...oneOfEach.meta })
    })

    suite.test('replicas show that they live until they leave', async t => {
      const store = await open(t, place)
      t.strictSame([...(await store.beat('one', '1'))], [], 'what was there before')
      t.strictSame([...(await store.beat('two', '7'))], [['one', '1']])
      t.strictSame([...(await store.beat('one', '2'))].sort(), [
        ['one', '1'],
        ['two', '7'],
      ])
      await store.leave('one', '1')
      t.equal((await store.beat('two', '8')).get('one'), '2', 'it has shown itself since')
      await store.leave('one', '2')
      await store.leave('nobody', '')
      t.strictSame([...(await store.beat('two', '9'))], [['two', '8']])
    })

    suite.test('the signs of all replicas can be read by one that shows none', async t => {
      const store = await open(t, place)
      t.strictSame([...(await store.members())], [])
      await store.beat('one', '1:ready:timer_error=3')
      await store.beat('two', '7')
      await store.beat('two', '8')
      const signs = [
        ['one', '1:ready:timer_error=3'],
        ['two', '8'],
      ]
      const members = await store.members()
      t.strictSame([...members].sort(), signs)
      t.strictSame([...(await store.members())].sort(), signs, 'nothing was shown')
      await store.leave('one', '1:ready:timer_error=3')
      t.strictSame([...(await store.members())], [['two', '8']])
      t.equal(members.size, 2, 'what was read stays as it was read')
      t.strictSame([...(await store.at(2).members())], [], 'each generation has its own')
    })
  })
}
