/** Redis Cluster for real: slots that move, masters that are lost, and each event still counts once. */
import type { Redis } from 'ioredis'
import { test, type Test } from 'tap'
import { RedisKeys } from '../../profiles/redis-keys.js'
import { slotOf } from '../../profiles/redis-slot.js'
import { RedisStore } from '../../profiles/redis-store.js'
import { bytes, next, oneOfEach } from '../conformance/store-kinds.js'
import { eventually } from '../support/eventually.js'
import { exactlyOnce } from '../support/exactly-once.js'
import { startLink } from '../support/link.js'
import { takeOver } from '../support/ownership.js'
import { startRedisCluster, type RedisCluster } from '../support/redis-cluster.js'
import { stopReplication } from '../support/redis-replication.js'
import { startLoadedEngine } from '../support/loaded-engine.js'
import { inOrder } from '../support/steady-load.js'
import { visitPartitions } from '../support/visits.js'

const keys = new RedisKeys('visits')

async function openStore(t: Test, { addresses }: RedisCluster, timeoutMs?: number): Promise<RedisStore> {
  // One seed is enough: it names the others.
  const store = new RedisStore({ cluster: addresses.slice(0, 1) }, 'visits', timeoutMs)
  t.teardown(() => store.close())
  await store.verify()
  return store
}

/** How often a server has sent this error since it started. */
async function errorsOf(redis: Redis, word: string): Promise<number> {
  const section = await redis.info('errorstats')
  return Number(new RegExp(`^errorstat_${word}:count=(\\d+)`, 'm').exec(section)?.[1] ?? 0)
}

async function errorsIn({ nodes }: RedisCluster, word: string): Promise<number> {
  const counts = await Promise.all(nodes.map(({ redis }) => errorsOf(redis, word).catch(() => 0)))
  return counts.reduce((sum, count) => sum + count, 0)
}

test('a store on a cluster whose slots move', async suite => {
  const cluster = await startRedisCluster(suite)

  suite.test('keys of a partition are where the servers say', async t => {
    for (const key of [keys.meta(0), keys.profile(3, 'ada'), keys.layouts(), keys.members(), '{}a', 'a{', 'ü{ü}']) {
      t.equal(slotOf(key), await cluster.slotOf(key), key)
    }
  })

  suite.test('a commit waits while its slot moves, and is written once where the slot is then', async t => {
    const store = await openStore(t, cluster)
    const meta = await takeOver(store, 0, 'owner', 'state')
    await store.commit(0, next(meta, 'c1', oneOfEach))
    const move = await cluster.startMove(keys.meta(0))
    await move.moveKeys(2)
    const before = await errorsIn(cluster, 'TRYAGAIN')
    const committed = store.commit(
      0,
      next({ ...meta, position: 7, commitId: 'c1' }, 'c2', { outbox: [bytes('third')] }),
    )
    await eventually('it was told to try again', async () => (await errorsIn(cluster, 'TRYAGAIN')) > before)
    await move.finish()
    t.equal(await committed, 'ok')
    t.strictSame((await store.outbox(0)).map(String), ['first', 'second', 'third'])
    t.equal(await move.to.redis.exists(keys.meta(0)), 1, 'it is at the new owner')
  })

  suite.test(
    'a partition whose slot moves for longer than the bound fails without a trace, and goes on after it',
    async t => {
      const store = await openStore(t, cluster, 300)
      const meta = await takeOver(store, 1, 'owner', 'state')
      await store.commit(1, next(meta, 'c1', oneOfEach))
      const move = await cluster.startMove(keys.meta(1))
      const commit = next({ ...meta, position: 7, commitId: 'c1' }, 'c2', {
        profiles: [{ key: 'new', bytes: bytes('N') }],
      })
      await t.rejects(store.commit(1, commit), { code: 'redis_unavailable', message: /TRYAGAIN/ })
      t.match(await store.readMeta(1), { commitId: 'c1' })
      await move.finish()
      t.equal(await store.commit(1, commit), 'ok')
      t.strictSame(await store.load(1, ['new']), [bytes('N')])
    },
  )

  suite.test('a lease is renewed while the slot moves, wherever its key is', async t => {
    const store = await openStore(t, cluster)
    const meta = await takeOver(store, 2, 'owner', 'state')
    const move = await cluster.startMove(keys.meta(2))
    t.equal(await store.renew(2, meta.token, ''), 'ok', 'still at the old owner')
    await move.moveKeys(100)
    const before = await errorsOf(move.from.redis, 'ASK')
    t.equal(await store.renew(2, meta.token, ''), 'ok', 'at the new one already')
    t.ok((await errorsOf(move.from.redis, 'ASK')) > before, 'the old owner names the new one')
    t.match(await store.readMeta(2), { token: meta.token })
    await move.finish()
    t.equal(await store.renew(2, meta.token, ''), 'ok')
    t.equal(await store.release(2, meta.token), 'ok')
  })

  suite.test('a commit that empties the outbox and the timers is whole while its slot moves', async t => {
    const store = await openStore(t, cluster, 300)
    const meta = await takeOver(store, 3, 'owner', 'state')
    const timers = ['ada', 'bob'].map(key => ({ key, dueAt: 500 }))
    await store.commit(3, next(meta, 'c1', { ...oneOfEach, timers }))
    const move = await cluster.startMove(keys.meta(3))
    const commit = next({ ...meta, position: 7, commitId: 'c1' }, 'c2', {
      trim: 2,
      outbox: [bytes('third')],
      // One more than there are.
      timers: ['ada', 'bob', 'eve'].map(key => ({ key, dueAt: Infinity })),
    })
    t.equal(await store.commit(3, commit), 'ok')
    await move.finish()
    t.strictSame((await store.outbox(3)).map(String), ['third'])
    t.match(await store.readMeta(3), { commitId: 'c2' })
  })

  suite.test('a store that knows an old owner is told the new one', async t => {
    const store = await openStore(t, cluster)
    const meta = await takeOver(store, 4, 'owner', 'state')
    await (await cluster.startMove(keys.meta(4))).finish()
    const before = await errorsIn(cluster, 'MOVED')
    t.equal(await store.commit(4, next(meta, 'c1')), 'ok')
    t.ok((await errorsIn(cluster, 'MOVED')) > before)
  })

  suite.test(
    'every master is looked at: one that may evict keys is refused, one that keeps no file is warned about',
    async t => {
      const store = await openStore(t, cluster)
      const { redis, server } = cluster.nodes[2]!
      t.strictSame(await store.verify(), [])
      await redis.config('SET', 'appendonly', 'no')
      t.match(await store.verify(), [new RegExp(`${server.port} runs without appendonly`)])
      await redis.config('SET', 'appendonly', 'yes')
      await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
      await t.rejects(store.verify(), { code: 'eviction_policy', message: new RegExp(String(server.port)) })
      await redis.config('SET', 'maxmemory-policy', 'noeviction')
    },
  )

  suite.test('after close nothing is left open', async t => {
    const store = await openStore(t, cluster)
    const clients = async () => {
      const lists = await Promise.all(cluster.nodes.map(({ redis }) => redis.client('LIST') as Promise<string>))
      return lists.join('').match(/name=millrace-/g)?.length ?? 0
    }
    t.equal(await clients(), 9, 'three connections to each master')
    await store.close()
    await eventually('the connections are gone', async () => (await clients()) === 0)
    t.equal(store.isReachable(), false)
    await t.rejects(store.readMeta(0), { code: 'redis_unavailable' })
  })
})

test('nodes that announce themselves elsewhere are reached by the address map, and only by it', async t => {
  const cluster = await startRedisCluster(t)
  const link = await startLink(
    t,
    cluster.nodes.map(({ server }) => server),
  )
  const { addresses, addressMap } = link
  const store = new RedisStore({ cluster: addresses.slice(0, 1), addressMap }, 'visits', 500)
  t.teardown(() => store.close())
  await store.verify()
  const partitions = [0, 1, 2, 3, 4, 5, 6, 7]
  const slots = await Promise.all(partitions.map(partition => cluster.ownerOf(keys.meta(partition))))
  t.equal(new Set(slots).size, cluster.nodes.length, 'every node holds some')
  for (const partition of partitions) t.equal(await store.readMeta(partition), undefined)
  await link.set('refuse')
  await eventually('nothing is reached past it', () => !store.isReachable())
  for (const partition of partitions) await t.rejects(store.readMeta(partition), { code: 'redis_unavailable' })
  await link.set('pass')
  await eventually('it is back', () => store.isReachable())
})

test('an engine on a cluster', async suite => {
  const cluster = await startRedisCluster(suite, { replicas: true })
  const env = { MILLRACE_REDIS_CLUSTER: cluster.addresses.join(',') }
  const { broker, engine, load, recovered } = await startLoadedEngine(suite, env)

  suite.test('slots move under load', async t => {
    for (let partition = 0; partition < visitPartitions; partition++) {
      const move = await cluster.startMove(keys.meta(partition))
      const before = await errorsIn(cluster, 'TRYAGAIN')
      await move.moveKeys(5)
      await eventually('a command was told to try again', async () => (await errorsIn(cluster, 'TRYAGAIN')) > before)
      const asked = await errorsOf(move.from.redis, 'ASK')
      while ((await move.moveKeys(100)) > 0);
      await eventually('one was sent on', async () => (await errorsOf(move.from.redis, 'ASK')) > asked)
      await move.finish()
      await load.goesOn()
    }
    t.ok((await errorsIn(cluster, 'MOVED')) > 0, 'MOVED was seen')
  })

  suite.test('a master is killed and its replica promoted, without its last second', async t => {
    const master = await cluster.ownerOf(keys.meta(1))
    const [replica] = await cluster.replicasOf(master)
    const before = await engine.metric('millrace_commit_conflicts_total')
    await stopReplication(replica!.redis, master.redis)
    await load.goesOn()
    const since = performance.now()
    await master.server.kill()
    await eventually('its replica has the slot', async () => (await cluster.ownerOf(keys.meta(1))) === replica)
    const promotedAt = performance.now()
    await load.goesOn()
    t.ok((await engine.metric('millrace_commit_conflicts_total')) > before, 'the engine noticed the loss')
    recovered(t, since, promotedAt)
    await master.server.start()
    await cluster.healthy()
  })

  suite.test('a master that is frozen while it is replaced wakes up and changes nothing', async t => {
    const master = await cluster.ownerOf(keys.meta(2))
    const since = performance.now()
    master.server.pause()
    await eventually('another node has the slot', async () => (await cluster.ownerOf(keys.meta(2))) !== master)
    const promotedAt = performance.now()
    await load.goesOn()
    master.server.resume()
    await load.goesOn()
    recovered(t, since, promotedAt)
  })

  suite.test('at the end each event has counted once', async t => {
    await load.stop()
    await exactlyOnce(t, broker, engine, load.sent)
    await inOrder(t, broker)
  })
})
