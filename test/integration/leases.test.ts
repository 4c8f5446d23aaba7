/** Several replicas on one pipeline. Killed processes are the fault suite's. */
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { loadConfig } from '../../engine/config/config.js'
import { MillraceError } from '../../engine/errors.js'
import type { ProfileStore } from '../../engine/index.js'
import { RedisStore } from '../../profiles/redis-store.js'
import { Broker } from '../support/broker.js'
import type { RunningEngine } from '../support/engine.js'
import { eventually } from '../support/eventually.js'
import { exactlyOnce, read } from '../support/exactly-once.js'
import { startLink } from '../support/link.js'
import { testOnEachNats } from '../support/nats-releases.js'
import { visitPartitions, visits } from '../support/visits.js'
import { visitsOf, world } from '../support/world.js'

const owned = ({ partitions }: RunningEngine): number[] =>
  partitions.filter(({ state }) => state === 'running').map(({ partition }) => partition)

/** The partitions for which the store was asked for this since. */
function asked(store: ProfileStore, call: 'acquire' | 'release'): ReadonlySet<number> {
  const partitions = new Set<number>()
  const original = store[call].bind(store) as (partition: number, ...more: unknown[]) => unknown
  const noted = (partition: number, ...more: unknown[]) => (partitions.add(partition), original(partition, ...more))
  Object.assign(store, { [call]: noted })
  return partitions
}

const without = (partitions: Iterable<number>, some: readonly number[]) =>
  [...partitions].filter(partition => !some.includes(partition))

const holds = (engine: RunningEngine, count: number) =>
  eventually(`it runs ${count} partitions`, () => {
    if (owned(engine).length === count) return true
    throw new Error(JSON.stringify(engine.partitions))
  })

testOnEachNats('two replicas share the partitions while events come, and each event counts once', async (t, nats) => {
  const { broker, start } = await world(t, nats)
  const sent = visitsOf(1_000)
  const older = await start(visits(), { settings: { MILLRACE_BATCH_MAX_EVENTS: '5' } })
  await broker.publish(...sent.slice(0, 500))
  await read(older, 100)
  const newer = await start()
  await broker.publish(...sent.slice(500))
  await Promise.all([holds(older, 2), holds(newer, 2)])
  await exactlyOnce(t, broker, [older, newer], sent)
  t.strictSame([...owned(older), ...owned(newer)].sort(), [0, 1, 2, 3])
  await eventually('each knows that all partitions run', () => [older, newer].every(({ engine }) => engine.isReady))
  const { owner } = older.partitions.find(({ state }) => state === 'standby')!
  t.equal(owner, newer.engine.replica, 'and who runs the others')
})

testOnEachNats('a replica that stops hands its partitions over at once', async (t, nats) => {
  const { broker, start } = await world(t, nats)
  const settings = { MILLRACE_LEASE_TTL: '60s' }
  const first = await start(visits(), { settings })
  await holds(first, visitPartitions)
  const second = await start(visits(), { settings })
  await Promise.all([holds(first, 2), holds(second, 2)])
  const sent = visitsOf(400)
  await broker.publish(...sent.slice(0, 200))
  await first.stop()
  await broker.publish(...sent.slice(200))
  await holds(second, visitPartitions)
  await exactlyOnce(t, broker, second, sent)
})

test('a replica that stops gives one partition after the other, each when the one before is settled', async t => {
  const { broker, start } = await world(t)
  const settings = { MILLRACE_LEASE_TTL: '60s' }
  const first = await start(visits(), { settings })
  await holds(first, visitPartitions)
  const second = await start(visits(), { settings })
  await Promise.all([holds(first, 2), holds(second, 2)])
  await broker.publish(...visitsOf(200))
  const seen: string[][] = []
  const release = first.store.release.bind(first.store)
  first.store.release = (partition, token) => {
    seen.push(second.partitions.filter(({ state }) => state !== 'standby').map(({ state }) => state))
    return release(partition, token)
  }
  await first.stop()
  const two = ['running', 'running']
  t.strictSame(seen, [two, [...two, 'running']])
})

test('a new replica has rehearsed when the others hear of it, unless something waits for it', async t => {
  const { broker, start, servers } = await world(t)
  const calls = async (name: string) => {
    const settings = { MILLRACE_REPLICA_NAME: name }
    const env = { MILLRACE_REDIS_URL: servers.redis.url }
    const store = new RedisStore(loadConfig({ env, cwd: import.meta.dirname }).redis, 'visits')
    const made: string[] = []
    for (const call of ['beat', 'acquire', 'outbox'] as const) {
      const original = store[call].bind(store) as (...given: unknown[]) => unknown
      Object.assign(store, { [call]: (...given: unknown[]) => (made.push(call), original(...given)) })
    }
    await start(visits(), { settings, store })
    await eventually('it has claimed something', () => made.includes('acquire'))
    return made
  }
  t.match(await calls('one'), ['beat', 'acquire'], 'everything is free')
  await broker.publish(...visitsOf(100))
  const made = await calls('two')
  t.equal(made[0], 'outbox', 'it has read what an owner reads')
  t.ok(made.indexOf('beat') < made.indexOf('acquire'))
})

testOnEachNats(
  'a replica that was cut off loses its partitions after a lease, and takes none back by itself',
  async (t, nats) => {
    const { broker, start } = await world(t, nats)
    const settings = { MILLRACE_LEASE_TTL: '1s' }
    const first = await start(visits(), { settings })
    await holds(first, visitPartitions)
    const sent = visitsOf(200)
    await broker.publish(...sent.slice(0, 100))
    await read(first, 100)
    // Nothing of it reaches Redis any more, while it still reads and folds.
    const cutOff = () => Promise.reject(new MillraceError('redis_unavailable', 'cut off'))
    Object.assign(first.store, { commit: cutOff, renew: cutOff, beat: cutOff, release: cutOff, leave: cutOff })
    const second = await start(visits(), { settings })
    await broker.publish(...sent.slice(100))
    await holds(second, visitPartitions)
    await exactlyOnce(t, broker, second, sent)
  },
)

testOnEachNats('a replica without NATS leaves all to one that has it, and gets its share back', async (t, nats) => {
  const { broker, start, servers } = await world(t, nats)
  const link = await startLink(t, [servers.nats])
  const first = await start(visits(), { nats: link.addresses[0]! })
  await holds(first, visitPartitions)
  const second = await start()
  await Promise.all([holds(first, 2), holds(second, 2)])
  const sent = visitsOf(600)
  await broker.publish(...sent.slice(0, 200))
  // Older servers do not fence: what is not published yet would keep its partition there.
  if (nats.release === 'installed') await exactlyOnce(t, broker, [first, second], sent.slice(0, 200))
  await link.set('refuse')
  await broker.publish(...sent.slice(200, 400))
  await holds(second, visitPartitions)
  t.notOk(first.engine.isReady)
  await exactlyOnce(t, broker, second, sent.slice(0, 400))
  await link.set('pass')
  await Promise.all([holds(first, 2), holds(second, 2)])
  await broker.publish(...sent.slice(400))
  await exactlyOnce(t, broker, [first, second], sent)
})

test('when NATS is away for all replicas, each keeps what it has', async t => {
  const { start, servers } = await world(t)
  const engines = [await start(), await start()] as const
  await Promise.all(engines.map(engine => holds(engine, 2)))
  const before = engines.map(owned)
  const claims = engines.map(({ store }) => asked(store, 'acquire'))
  const releases = engines.map(({ store }) => asked(store, 'release'))
  await servers.nats.kill()
  await eventually('both have noticed', () => engines.every(({ engine }) => !engine.isNatsConnected))
  // Twice as long as one without NATS waits before it leaves its partitions to others.
  await delay(10_000)
  await servers.nats.start()
  // The client of the test waited too long.
  const broker = await Broker.connect(t, servers.nats.url)
  const sent = visitsOf(100)
  await broker.publish(...sent)
  await exactlyOnce(t, broker, engines, sent)
  t.strictSame(engines.map(owned), before)
  // Its own it may take up again: a broker that has just started may not answer all at once.
  for (const [at, own] of before.entries()) t.strictSame(without(claims[at]!, own), [])
  for (const released of releases) t.equal(released.size, 0)
})

test('a process of the same name takes the partitions back without waiting for the lease', async t => {
  const { broker, start } = await world(t)
  const settings = { MILLRACE_LEASE_TTL: '60s', MILLRACE_REPLICA_NAME: 'shop-0' }
  const crashed = await start(visits(), { settings })
  await holds(crashed, visitPartitions)
  crashed.store.release = () => Promise.reject(new Error('it crashed'))
  crashed.store.leave = () => Promise.reject(new Error('it crashed'))
  await crashed.stop()
  const sent = visitsOf(100)
  await broker.publish(...sent)
  const again = await start(visits(), { settings })
  await exactlyOnce(t, broker, again, sent)
})

test('of two processes of one name the later one stays, the other one says why it ends', async t => {
  const { start } = await world(t)
  const settings = { MILLRACE_LEASE_TTL: '1s', MILLRACE_REPLICA_NAME: 'shop-0' }
  const older = await start(visits(), { settings })
  await holds(older, visitPartitions)
  const newer = await start(visits(), { settings })
  await t.rejects(older.engine.failure, { code: 'replica_name_taken', message: /"shop-0"/ })
  await older.stop()
  await holds(newer, visitPartitions)
})

test('more replicas than partitions: those left over stand by and are ready', async t => {
  const { start } = await world(t)
  const engines: RunningEngine[] = []
  for (let i = 0; i <= visitPartitions; i++) engines.push(await start())
  await eventually('four run one each, all are ready', () => {
    const counts = engines.map(engine => owned(engine).length).sort()
    return counts.join() === '0,1,1,1,1' && engines.every(({ engine }) => engine.isReady)
  })
})
