/** Redis under Sentinel for real: masters are lost and come back, with and without their last second; each event counts once. */
import { test, type Test } from 'tap'
import { openConnection, reconnect } from '../../profiles/redis-connection.js'
import { sentinelOptions } from '../../profiles/redis-sentinel.js'
import { RedisStore } from '../../profiles/redis-store.js'
import { bytes, next } from '../conformance/store-kinds.js'
import { eventually } from '../support/eventually.js'
import { exactlyOnce } from '../support/exactly-once.js'
import { startLink } from '../support/link.js'
import { startLoadedEngine } from '../support/loaded-engine.js'
import { takeOver } from '../support/ownership.js'
import { followsMaster, roleOf, serverClient, stopReplication } from '../support/redis-replication.js'
import { startRedisSentinels } from '../support/redis-sentinel.js'
import { startRedis } from '../support/servers.js'
import { inOrder } from '../support/steady-load.js'

function newStore(t: Test, sentinels: readonly string[], timeoutMs?: number): RedisStore {
  const store = new RedisStore({ sentinels, master: 'profiles' }, 'visits', timeoutMs)
  t.teardown(() => store.close())
  return store
}

test('a store finds the master by any sentinel that answers, and says when none does', async t => {
  const { addresses, sentinels } = await startRedisSentinels(t)
  await sentinels[0]!.process.kill()
  sentinels[1]!.process.pause()
  const store = newStore(t, addresses)
  t.strictSame(await store.verify(), [])
  t.equal(store.isReachable(), true)
  await sentinels[2]!.process.kill()
  const lost = newStore(t, addresses, 500)
  await t.rejects(lost.verify(), { code: 'redis_unavailable' })
  t.equal(lost.isReachable(), false)
  sentinels[1]!.process.resume()
  await eventually('it goes on trying by itself', () => lost.isReachable())
  t.strictSame(await lost.verify(), [])
})

test('servers that sentinels announce elsewhere are reached by the address map, and only by it', async t => {
  const { sentinels, servers } = await startRedisSentinels(t)
  const link = await startLink(t, [...sentinels, ...servers.map(({ server }) => server)])
  const { addresses, addressMap } = link
  const place = { sentinels: addresses.slice(0, sentinels.length), master: 'profiles', addressMap }
  const store = new RedisStore(place, 'visits', 500)
  t.teardown(() => store.close())
  t.strictSame(await store.verify(), [])
  await link.set('refuse')
  await eventually('nothing is reached past it', () => !store.isReachable())
  await t.rejects(store.readMeta(0), { code: 'redis_unavailable' })
  await link.set('pass')
  await eventually('it is back', () => store.isReachable())
  t.equal(await store.readMeta(0), undefined)
})

test('a store leaves a frozen master as soon as the sentinels have another one', async t => {
  const cluster = await startRedisSentinels(t)
  // Far longer than the failover takes.
  const store = newStore(t, cluster.addresses, 60_000)
  await store.verify()
  const meta = await takeOver(store, 0, 'owner', 'state')
  const master = await cluster.current()
  const replica = await cluster.replica()
  await eventually('the replica has the state', async () => (await replica.redis.dbsize()) === 1)
  master.server.pause()
  const lost = store.commit(0, next(meta, 'c1', { outbox: [bytes('entry')] }))
  await t.rejects(lost, { code: 'redis_unavailable' })
  await eventually('the store is at the new master', () => store.isReachable())
  t.equal(await store.commit(0, next(meta, 'c1', { outbox: [bytes('entry')] })), 'ok')
  t.equal((await store.outbox(0)).length, 1)
  t.equal(await roleOf(replica.redis), 'master')
})

test('a connection that is to be cut while it is being made is made all the same', async t => {
  const { addresses, sentinels, master } = await startRedisSentinels(t)
  for (const { process } of sentinels) process.pause()
  const redis = openConnection(sentinelOptions({ sentinels: addresses, master }), 'test')
  t.teardown(() => redis.disconnect())
  const connecting = redis.connect()
  reconnect(redis)
  for (const { process } of sentinels) process.resume()
  await connecting
  t.equal(redis.status, 'ready')
})

test('a commit to a server that has become a replica is refused, and written once when that is a master again', async t => {
  const [server, other] = await Promise.all([startRedis(t), startRedis(t)])
  const redis = serverClient(t, server.url)
  const store = new RedisStore({ url: server.url }, 'visits')
  t.teardown(() => store.close())
  await store.verify()
  const meta = await takeOver(store, 0, 'owner', 'state')
  const commit = next(meta, 'c1', { outbox: [bytes('entry')] })
  const connections = async () => Number(/total_connections_received:(\d+)/.exec(await redis.info('stats'))![1])
  const before = await connections()
  await redis.replicaof('127.0.0.1', other.port)
  await t.rejects(store.commit(0, commit), { code: 'redis_unavailable', message: /READONLY/ })
  await redis.replicaof('NO', 'ONE')
  await eventually('it connects again: the name may lead elsewhere now', async () => (await connections()) > before)
  t.match(await store.readMeta(0), { commitId: '' }, 'nothing was sent behind our back')
  await eventually('it is written', async () => (await store.commit(0, commit)) === 'ok')
  t.equal((await store.outbox(0)).length, 1)
})

test('an engine under Sentinel', async suite => {
  const sentinels = await startRedisSentinels(suite)
  const env = { MILLRACE_REDIS_SENTINELS: sentinels.addresses.join(','), MILLRACE_REDIS_MASTER: sentinels.master }
  const { broker, engine, load, recovered } = await startLoadedEngine(suite, env)

  suite.test('the master is killed, and its replica promoted without its last second', async t => {
    const master = await sentinels.current()
    const replica = await sentinels.replica()
    const conflicts = await engine.metric('millrace_commit_conflicts_total')
    const cutAt = performance.now()
    await stopReplication(replica.redis, master.redis)
    await eventually('a second is written that the replica does not see', () => performance.now() - cutAt > 1_000)
    const since = performance.now()
    await master.server.kill()
    t.equal(await sentinels.promoted(master), replica)
    const promotedAt = performance.now()
    await load.goesOn()
    t.ok((await engine.metric('millrace_commit_conflicts_total')) > conflicts, 'the engine noticed the loss')
    recovered(t, since, promotedAt)
    await master.server.start()
    await sentinels.join(master)
  })

  suite.test('a failover back, with the live owner', async t => {
    const since = performance.now()
    await sentinels.failover()
    const promotedAt = performance.now()
    await load.goesOn()
    recovered(t, since, promotedAt)
  })

  suite.test('the master is frozen, replaced, and wakes up believing that it is the master', async t => {
    const master = await sentinels.current()
    const replica = await sentinels.replica()
    await sentinels.join(replica)
    await load.goesOn()
    const since = performance.now()
    master.server.pause()
    await sentinels.promoted(master)
    const promotedAt = performance.now()
    await load.goesOn()
    recovered(t, since, promotedAt)
    master.server.resume()
    await load.goesOn()
    await sentinels.join(master)
    await followsMaster(master.redis)
  })

  suite.test('at the end each event has counted once', async t => {
    await load.stop()
    await exactlyOnce(t, broker, engine, load.sent)
    await inOrder(t, broker)
  })
})
