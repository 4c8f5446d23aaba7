import { test } from 'tap'
import type { Log } from '../../../../engine/log.js'
import { Members } from '../../../../engine/replicas/members.js'
import { MemoryStore } from '../../../../profiles/memory-store.js'

const silent: Log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {}, child: () => silent }

/** Replicas on one store, started one after the other. */
function replicas(...names: readonly string[]) {
  const store = new MemoryStore()
  return names.map(
    (replica, i) => new Members({ replica, ttlMs: 60_000, startedAt: 1_700_000_000_000 + i, store, log: silent }),
  )
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
