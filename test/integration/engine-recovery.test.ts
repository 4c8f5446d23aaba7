/** Stops, restarts, servers that go away and come back with less: each event still counts once, each trigger is out once. */
import { test } from 'tap'
import { systemClock } from '../../engine/clock.js'
import { events } from '../../engine/millrace.js'
import { RedisStore } from '../../profiles/redis-store.js'
import { eventually } from '../support/eventually.js'
import { exactlyOnce, read } from '../support/exactly-once.js'
import { testOnEachNats } from '../support/nats-releases.js'
import { backUp, redisClient, restore } from '../support/redis.js'
import { idOf, poison, userOf, visit, visitPartitions, visits, type Visit } from '../support/visits.js'
import { triggered, users, visitsOf, world } from '../support/world.js'

testOnEachNats('a restart goes on where the last run stopped', async (t, nats) => {
  const { broker, start } = await world(t, nats)
  const sent = visitsOf(600)
  const first = await start()
  await broker.publish(...sent.slice(0, 200))
  await read(first, 200)
  await first.stop()
  await broker.publish(...sent.slice(200, 400))
  const second = await start()
  await broker.publish(...sent.slice(400))
  await exactlyOnce(t, broker, second, sent)
  t.equal(await second.metric('millrace_events_total'), 400, 'nothing was read again')
})

test('a graceful stop finishes what was taken and publishes all of it', async t => {
  const { broker, servers, start } = await world(t)
  const sent = visitsOf(1_200)
  await (await start()).stop()
  await broker.publish(...sent)
  const first = await start(visits(), { settings: { MILLRACE_BATCH_MAX_EVENTS: '5' } })
  await read(first, 100)
  await first.stop()
  const applied = await first.metric('millrace_events_applied_total')
  t.ok(applied < 1_200, `stopped in the middle, after ${applied}`)
  t.equal((await triggered(broker)).length, applied)
  const redis = redisClient(t, servers.redis.url)
  for (let partition = 0; partition < visitPartitions; partition++) {
    t.equal(await redis.llen(`mr:{visits:${partition}}:o`), 0, 'the outbox is empty')
  }
  t.strictSame(
    first.partitions.map(({ state }) => state),
    Array(visitPartitions).fill('stopped'),
  )
  await exactlyOnce(t, broker, await start(), sent)
})

testOnEachNats(
  'Redis restored to an older copy while the engine is stopped repeats no trigger and loses none',
  async (t, nats) => {
    const { broker, servers, start } = await world(t, nats)
    const sent = visitsOf(600)
    const first = await start()
    await broker.publish(...sent.slice(0, 200))
    await read(first, 200)
    await first.stop()
    const copy = await backUp(servers.redis, 'older')
    const second = await start()
    await broker.publish(...sent.slice(200, 400))
    await read(second, 200)
    await second.stop()
    await restore(servers.redis, copy)
    const third = await start()
    await broker.publish(...sent.slice(400))
    await exactlyOnce(t, broker, third, sent)
    t.equal(await third.metric('millrace_events_total'), 400, 'what the copy did not know was read again')
  },
)

testOnEachNats(
  'Redis restored to an older copy under a running engine repeats no trigger and loses none',
  async (t, nats) => {
    const { broker, servers, start } = await world(t, nats)
    const sent = visitsOf(600)
    const engine = await start()
    await broker.publish(...sent.slice(0, 200))
    await read(engine, 200)
    await engine.idle()
    const copy = await backUp(servers.redis, 'older')
    await broker.publish(...sent.slice(200, 400))
    await read(engine, 400)
    await restore(servers.redis, copy)
    await broker.publish(...sent.slice(400))
    await exactlyOnce(t, broker, engine, sent)
    t.ok((await engine.metric('millrace_commit_conflicts_total')) > 0, 'the engine noticed')
  },
)

test('Redis down in the middle only takes time', async t => {
  const { broker, servers, start } = await world(t)
  const sent = visitsOf(800)
  const engine = await start(visits(), { settings: { MILLRACE_BATCH_MAX_EVENTS: '5' } })
  await broker.publish(...sent.slice(0, 400))
  await read(engine, 100)
  await servers.redis.kill()
  await eventually('the engine has noticed', () => !engine.engine.isStoreReachable)
  await broker.publish(...sent.slice(400))
  await servers.redis.start()
  await exactlyOnce(t, broker, engine, sent)
})

test('an idle partition moves its position along with the events of others', async t => {
  const { broker, start } = await world(t)
  const engine = await start()
  const sent = Array.from({ length: 30 }, () => visit(userOf(1)))
  await broker.publish(...sent)
  for (let partition = 0; partition < visitPartitions; partition++) {
    await eventually(`partition ${partition} is at the end`, () => engine.partitions[partition]!.position === 30)
    t.equal((await engine.store.readMeta(partition))!.position, 30)
    t.equal((await engine.store.readMeta(partition))!.lastSeq, partition === 1 ? 30 : 0)
  }
  await engine.stop()
  // What others have read may go without being missed.
  await broker.manager.streams.purge('EVENTS')
  const again = await start()
  await again.running()
})

test('a timer fires by the wall clock when no event comes', async t => {
  const { broker, start } = await world(t)
  const engine = await start(visits({ quietAfter: '300ms' }))
  const [quiet, loud] = [visit(userOf(0)), visit(userOf(2))]
  await broker.publish(quiet, loud, visit(userOf(2), { type: 'goodbye' }))
  await eventually('the one that said nothing is noticed', async () => {
    return (await triggered(broker, 'gone_quiet')).length > 0
  })
  await engine.idle()
  t.strictSame(await triggered(broker, 'gone_quiet'), [idOf(quiet)])
  const [seen, fired] = (await broker.read('TRIGGERS')).filter(({ headers }) => headers['Millrace-Key'] === userOf(0))
  t.equal(fired!.json<{ at: number }>().at, seen!.json<{ at: number }>().at + 300, 'at the moment it fell due')
})

test('timers that fell due while the engine was stopped fire before later events', async t => {
  const { broker, start } = await world(t)
  const definition = () => visits({ quietAfter: '1s' })
  const first = await start(definition())
  const early = users.map(user => visit(user))
  await broker.publish(...early)
  await eventually('all are seen', async () => (await triggered(broker)).length === users.length)
  await first.stop()
  t.equal((await triggered(broker, 'gone_quiet')).length, 0, 'nothing is due yet')
  const dueAt = Math.max(...(await broker.read('TRIGGERS')).map(trigger => trigger.json<{ at: number }>().at)) + 1_000
  await eventually('all are due', () => Date.now() > dueAt)
  // A visit ends the wait for the one before, so a timer that is late would never fire.
  const late = users.map(user => visit(user))
  await broker.publish(...late)
  await start(definition())
  await eventually('all went quiet twice', async () => {
    return (await triggered(broker, 'gone_quiet')).length >= 2 * users.length
  })
  t.strictSame((await triggered(broker, 'gone_quiet')).sort(), [...early, ...late].map(idOf).sort())
})

test('when all people of a partition are due at one moment, they are loaded and fired a commit at a time', async t => {
  const { broker, servers, start } = await world(t)
  const batchEvents = 50
  const people = Array.from({ length: 2_500 }, (_, i) => `ada-${i}`)
  // Windows let go in tiles: everybody seen within the same minute is due at the same moment.
  const { profile, count } = events<{ visit: Visit }>()
  const visitor = profile('visitor', { traits: { lately: count('visit').within('1h') } })
  visitor.segment('around', p => p.lately >= 1)
  const definition = () => visits({ profile: visitor })
  const setup = {
    store: new RedisStore({ url: servers.redis.url }, 'visits'),
    settings: { MILLRACE_BATCH_MAX_EVENTS: String(batchEvents), MILLRACE_CACHE_MAX_PROFILES: '100' },
  }
  const first = await start(definition(), setup)
  await broker.publish(...people.map(user => visit(user)))
  await eventually('all are around', async () => (await broker.count('SEGMENTS')) === people.length)
  await first.stop()
  let most = 0
  const store = new RedisStore({ url: servers.redis.url }, 'visits')
  const load = store.load.bind(store)
  store.load = (partition, keys) => {
    most = Math.max(most, keys.length)
    return load(partition, keys)
  }
  const clock = {
    ...systemClock,
    wallMs: () => systemClock.wallMs() + 2 * 3_600_000,
    monotonicMs: () => performance.now(),
  }
  const later = await start(definition(), { ...setup, store, clock })
  await eventually('nobody is', async () => (await broker.count('SEGMENTS')) >= 2 * people.length)
  await later.idle()
  const left = (await broker.read('SEGMENTS')).slice(people.length)
  t.ok(left.every(({ subject }) => subject.includes('.exited.')))
  t.strictSame(left.map(({ headers }) => headers['Millrace-Key']!).sort(), [...people].sort())
  t.ok(most > 1 && most <= batchEvents, `${most} profiles in one read`)
  for (let partition = 0; partition < visitPartitions; partition++) {
    t.strictSame(await store.timers(partition, 0, Infinity, 1), [])
  }
})

test('a profile is served stale while Redis is away', async t => {
  const { broker, servers, start } = await world(t)
  const engine = await start()
  await broker.publish(visit('ada'), visit('new-here', { note: poison }))
  await eventually('one is set aside', async () => (await broker.count('DEADLETTERS')) === 1)
  await engine.idle()
  await servers.redis.stop()
  const profile = await eventually('a profile without Redis', () => engine.engine.profile('ada'))
  t.match(profile, { isStale: true, view: { key: 'ada', traits: { visits: 1 } } })
  await t.rejects(engine.engine.profile('somebody else'), { code: 'redis_unavailable' })
  t.equal(await engine.engine.profile('new-here'), undefined, 'one that was made for a rejected event is none')
  await servers.redis.start()
  await eventually('a fresh one', async () => (await engine.engine.profile('ada'))?.isStale === false)
})
