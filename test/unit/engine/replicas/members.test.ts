import { test } from 'tap'
import type { Log } from '../../../../engine/log.js'
import { Members } from '../../../../engine/replicas/members.js'
import { haltsIn, type Halts, type Standing } from '../../../../engine/replicas/sign.js'
import { MemoryStore } from '../../../../profiles/memory-store.js'

const silent: Log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {}, child: () => silent }

/** Replicas on one store, started one after the other. */
function replicas(...names: readonly string[]) {
  return replicasOn(new MemoryStore(), names)
}

function replicasOn(store: MemoryStore, names: readonly string[]) {
  return names.map((replica, i) => {
    const members = new Members({ replica, ttlMs: 60_000, startedAt: 1_700_000_000_000 + i, store, log: silent })
    return {
      look: (standing: Standing, halts: Halts = new Map()) => members.look(standing, halts),
      leave: () => members.leave(),
    }
  })
}

test('everybody sees who lives and how each one stands', async t => {
  const [a, b] = replicas('a', 'b')
  t.strictSame([...(await a!.look('ready'))], [['a', 'ready']])
  t.strictSame([...(await b!.look('busy'))].sort(), [
    ['a', 'ready'],
    ['b', 'busy'],
  ])
  t.equal((await a!.look('ready')).get('b'), 'busy')
  await b!.look('leaving')
  t.equal((await a!.look('ready')).get('b'), 'leaving')
})

test('who has left is seen no more, at once', async t => {
  const [a, b] = replicas('a', 'b')
  await b!.look('ready')
  await b!.leave()
  t.strictSame([...(await a!.look('ready')).keys()], ['a'])
})

test('of two processes of one name the one that started first has to go', async t => {
  const [older, newer] = replicas('a', 'a')
  await older!.look('ready')
  await newer!.look('ready')
  await t.rejects(older!.look('ready'), { code: 'replica_name_taken' })
})

test('a leave that comes late does not take a successor of the name along', async t => {
  const [older, newer, other] = replicas('a', 'a', 'b')
  await older!.look('ready')
  await newer!.look('ready')
  await older!.leave()
  t.ok((await other!.look('ready')).has('a'))
})

test('a sign shows what its replica has halted, until it has not', async t => {
  const store = new MemoryStore()
  const [a] = replicasOn(store, ['a'])
  const shown = async () => [...haltsIn((await store.members()).get('a')!)]
  await a!.look('ready', new Map([[3, 'timer_error']]))
  t.strictSame(await shown(), [[3, 'timer_error']])
  await a!.look('ready')
  t.strictSame(await shown(), [])
})

test('a replica of a release whose signs have three parts, or five, is counted as it stands', async t => {
  const store = new MemoryStore()
  const [a] = replicasOn(store, ['a'])
  await store.beat('older', '1600000000000-x:7:busy')
  await store.beat('newer', '1800000000000-x:7:leaving:timer_error=1:more')
  const living = await a!.look('ready')
  t.equal(living.get('older'), 'busy')
  t.equal(living.get('newer'), 'leaving')
})

test('of two processes of one name the one that started first has to go, whichever signs it knows', async t => {
  const store = new MemoryStore()
  const [a] = replicasOn(store, ['a'])
  await store.beat('a', '1600000000000-x:7:ready')
  await t.resolves(a!.look('ready'), 'before this one')
  await store.beat('a', '1800000000000-x:7:ready')
  await t.rejects(a!.look('ready'), { code: 'replica_name_taken' })
})
