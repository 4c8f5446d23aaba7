/** A broker that goes away, or takes nothing for a while: what is to be published waits, and is out once. */
import { headers } from 'nats'
import { test } from 'tap'
import { isAtLeast } from '../../engine/version.js'
import { encodeEntry } from '../../engine/outbox/outbox-entry.js'
import { eventually } from '../support/eventually.js'
import { exactlyOnce, read } from '../support/exactly-once.js'
import { testOnEachNats } from '../support/nats-releases.js'
import { redisClient } from '../support/redis.js'
import { idOf, userOf, visit, visits } from '../support/visits.js'
import { triggered, visitsOf, world } from '../support/world.js'

/** Short enough that a test can outwait it. */
const shortLease = { MILLRACE_LEASE_TTL: '1s' }

test('a trigger that failed to publish while its follower was stored is out after a restart, and the follower once', async t => {
  const { broker, servers, start } = await world(t)
  if (isAtLeast(servers.nats.version, '2.11')) {
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
