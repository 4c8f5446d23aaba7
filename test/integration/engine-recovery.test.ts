/** Stops, restarts, servers that go away and come back with less: each event still counts once, each trigger is out once. */
import { headers } from 'nats'
import { test } from 'tap'
import { isAtLeast } from '../../engine/nats/connection.js'
import { encodeEntry } from '../../engine/outbox-entry.js'
import { eventually } from '../support/eventually.js'
import { exactlyOnce, read } from '../support/exactly-once.js'
import { testOnEachNats } from '../support/nats-releases.js'
import { backUp, redisClient, restore } from '../support/redis.js'
import { idOf, userOf, visit, visitPartitions, visits } from '../support/visits.js'
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

test('a trigger that failed to publish while its follower was stored is out after a restart, and the follower once', async t => {
  const { broker, servers, start } = await world(t)
  if (isAtLeast(servers.nats.version, 2, 11)) {
    t.pass('a fenced publish leaves no such hole')
    return
  }
  const user = userOf(0)
  const first = await start()
  await broker.publish(visit(user))
  await eventually('its trigger is out', async () => (await broker.count('TRIGGERS')) === 1)
  await first.stop()
  const [out] = await broker.read('TRIGGERS')
  const [incarnation, partition, seq] = out!.headers['Nats-Msg-Id']!.split(':')
  const entry = (ordinal: number) => {
    const id = `${incarnation}:${partition}:${seq}:${ordinal}`
    const fields = ['Nats-Msg-Id', id, 'Millrace-Position', `${seq}:${ordinal}`]
    const body = Buffer.from(JSON.stringify({ id, data: { id: `late-${ordinal}` } }))
    return { lane: 'triggers' as const, seq: Number(seq), ordinal, subject: out!.subject, fields, body, causedAtMs: 0 }
  }
  // As a process leaves it that died between the failure of the first and its repetition.
  const redis = redisClient(t, servers.redis.url)
  await redis.rpush(`mr:{visits:${partition}}:o`, encodeEntry(entry(5)), encodeEntry(entry(6)))
  const header = headers()
  header.set('Millrace-Position', `${seq}:6`)
  const msgID = `${incarnation}:${partition}:${seq}:6`
  await broker.connection.jetstream().publish(out!.subject, entry(6).body, { msgID, headers: header })
  await start()
  await eventually('the outbox is empty', async () => (await redis.llen(`mr:{visits:${partition}}:o`)) === 0)
  t.strictSame((await triggered(broker)).slice(1).sort(), ['late-5', 'late-6'])
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

testOnEachNats('NATS restarted in the middle only takes time', async (t, nats) => {
  const { broker, servers, start } = await world(t, nats)
  const sent = visitsOf(800)
  await (await start()).stop()
  await broker.publish(...sent)
  const engine = await start(visits(), { settings: { MILLRACE_BATCH_MAX_EVENTS: '5' } })
  await read(engine, 100)
  await servers.nats.kill()
  await eventually('the engine has noticed', () => !engine.engine.isNatsConnected)
  await servers.nats.start()
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

test('a profile is served stale while Redis is away', async t => {
  const { broker, servers, start } = await world(t)
  const engine = await start()
  await broker.publish(visit('ada'))
  await read(engine, 1)
  await engine.idle()
  await servers.redis.stop()
  const profile = await eventually('a profile without Redis', () => engine.engine.profile('ada'))
  t.match(profile, { isStale: true, view: { key: 'ada', traits: { visits: 1 } } })
  await t.rejects(engine.engine.profile('somebody else'), { code: 'redis_unavailable' })
  await servers.redis.start()
  await eventually('a fresh one', async () => (await engine.engine.profile('ada'))?.isStale === false)
})

/** Short enough that a test can outwait it. */
const shortLease = { MILLRACE_LEASE_TTL: '1s' }

testOnEachNats(
  'an outbox that was full for longer than the lease empties when the broker takes it',
  async (t, nats) => {
    const { broker, start } = await world(t, nats)
    const engine = await start(visits(), {
      settings: { ...shortLease, MILLRACE_OUTBOX_MAX_ENTRIES: '5', MILLRACE_BATCH_MAX_EVENTS: '5' },
    })
    await engine.running()
    const { config } = await broker.manager.streams.info('TRIGGERS')
    await broker.manager.streams.delete('TRIGGERS')
    const sent = visitsOf(200)
    await broker.publish(...sent)
    await eventually('the outboxes are full', () => engine.partitions.every(({ outboxEntries }) => outboxEntries >= 5))
    const full = performance.now()
    await eventually('the lease would have run out', () => performance.now() - full > 1_200)
    for (const { outboxEntries } of engine.partitions) t.ok(outboxEntries < 5 + 3 * 5, 'the bound holds')
    await broker.manager.streams.add(config)
    await exactlyOnce(t, broker, engine, sent)
  },
)

testOnEachNats('a stop publishes what is left even when the broker takes it only after the lease', async (t, nats) => {
  const { broker, start } = await world(t, nats)
  const engine = await start(visits(), { settings: shortLease })
  await engine.running()
  const { config } = await broker.manager.streams.info('TRIGGERS')
  await broker.manager.streams.delete('TRIGGERS')
  const sent = visitsOf(20)
  await broker.publish(...sent)
  await read(engine, 20)
  const stopped = engine.stop(15_000)
  const stopping = performance.now()
  await eventually('the lease would have run out', () => performance.now() - stopping > 1_200)
  await broker.manager.streams.add(config)
  await stopped
  t.strictSame((await triggered(broker)).sort(), sent.map(idOf).sort())
})
