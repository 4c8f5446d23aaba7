/** When the promise cannot be kept the partition halts and says why; a person's decision lets it go on. */
import { headers } from 'nats'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { haltsIn } from '../../engine/replicas/sign.js'
import { eventually } from '../support/eventually.js'
import { backUp, editMeta, flushRedis, redisClient, restore } from '../support/redis.js'
import { idOf, userOf, visit, visitPartitions, visits } from '../support/visits.js'
import { triggered, visitsOf, world } from '../support/world.js'

const partitions = Array.from({ length: visitPartitions }, (_, partition) => partition)

test('a stream recreated under a running engine halts it, and accepted, later events count', async t => {
  const { broker, start } = await world(t)
  const engine = await start()
  const before = visitsOf(40)
  await broker.publish(...before)
  await eventually('all are out', async () => (await triggered(broker)).length === 40)
  await engine.idle()

  const { config } = await broker.manager.streams.info('EVENTS')
  await broker.manager.streams.delete('EVENTS')
  await broker.manager.streams.add(config)
  const between = visitsOf(4)
  await broker.publish(...between)
  await engine.halted('stream_recreated', partitions)
  t.equal((await triggered(broker)).length, 40, 'nothing is read from the other stream')
  t.equal(await engine.metric('millrace_partition_halted', 'partition="0"'), 1)
  t.ok((await engine.engine.profile('ada-0')) !== undefined, 'profiles stay readable')

  for (const partition of partitions) t.equal(await engine.store.accept(partition, 'stream_recreated'), true)
  await engine.running()
  const after = visitsOf(4)
  await broker.publish(...after)
  await eventually('the new stream counts from its start', async () => (await triggered(broker)).length === 48)
  await engine.idle()
  t.strictSame((await triggered(broker)).sort(), [...before, ...between, ...after].map(idOf).sort())
  t.match((await engine.engine.profile('ada-0'))!.view.traits, { visits: 4 }, 'profiles go on from where they were')
  t.equal(await engine.metric('millrace_partition_halted', 'partition="0"'), 0)
  t.equal((await engine.store.readMeta(0))!.accepted, '', 'the decision was for this once')
})

test('a stream recreated while the engine is stopped halts it at the start', async t => {
  const { broker, start } = await world(t)
  const first = await start()
  await broker.publish(...visitsOf(8))
  await eventually('all are out', async () => (await triggered(broker)).length === 8)
  await first.stop()
  const { config } = await broker.manager.streams.info('EVENTS')
  await broker.manager.streams.delete('EVENTS')
  await broker.manager.streams.add(config)
  await broker.publish(...visitsOf(20))
  const second = await start()
  await second.halted('stream_recreated', partitions)
})

test('a stream deleted under a running engine halts it', async t => {
  const { broker, start } = await world(t)
  const engine = await start()
  await engine.running()
  await broker.manager.streams.delete('EVENTS')
  await engine.halted('stream_missing', partitions)
})

test('a Redis that was flushed halts the engine, and accepted, it counts again without repeating a trigger', async t => {
  const { broker, servers, start } = await world(t)
  const first = await start()
  const before = visitsOf(40)
  await broker.publish(...before)
  await eventually('all are out', async () => (await triggered(broker)).length === 40)
  await first.stop()
  await flushRedis(t, servers.redis.url)

  const second = await start()
  await second.halted('state_lost', partitions)
  for (const partition of partitions) t.equal(await second.store.accept(partition, 'state_lost'), true)
  await second.running()
  const after = visitsOf(20)
  await broker.publish(...after)
  await eventually('new ones are out', async () => (await triggered(broker)).length >= 60)
  await second.idle()
  t.strictSame((await triggered(broker)).sort(), [...before, ...after].map(idOf).sort())
  t.match((await second.engine.profile('ada-0'))!.view.traits, { visits: 3 }, 'from all that the stream holds')
})

test('a Redis that was flushed together with a new stream counts anew, and its triggers come out', async t => {
  const { broker, servers, start } = await world(t)
  const first = await start()
  const before = visitsOf(40)
  await broker.publish(...before)
  await eventually('all are out', async () => (await triggered(broker)).length === 40)
  await first.stop()
  await flushRedis(t, servers.redis.url)
  const { config } = await broker.manager.streams.info('EVENTS')
  await broker.manager.streams.delete('EVENTS')
  await broker.manager.streams.add(config)

  const second = await start()
  await second.halted('state_lost', partitions)
  for (const partition of partitions) await second.store.accept(partition, 'state_lost')
  await second.running()
  const after = visitsOf(20)
  await broker.publish(...after)
  await eventually('new ones are out', async () => (await triggered(broker)).length >= 60)
  t.strictSame((await triggered(broker)).sort(), [...before, ...after].map(idOf).sort())
})

test('events removed before they were read halt the partition', async t => {
  const { broker, start } = await world(t)
  const first = await start()
  await broker.publish(...visitsOf(20))
  await eventually('all are out', async () => (await triggered(broker)).length === 20)
  await first.stop()
  await broker.publish(...visitsOf(20))
  await broker.manager.streams.purge('EVENTS', { keep: 10 })

  const second = await start()
  await second.halted('events_lost', partitions)
  for (const partition of partitions) await second.store.accept(partition, 'events_lost')
  await eventually('what is left counts', async () => (await triggered(broker)).length === 30)
})

test('events removed while the partition could not read halt it', async t => {
  const { broker, start } = await world(t)
  const settings = { MILLRACE_OUTBOX_MAX_ENTRIES: '5', MILLRACE_BATCH_MAX_EVENTS: '5' }
  const engine = await start(visits(), { settings })
  await engine.running()
  // Nothing takes the triggers, so the outboxes fill and reading stops.
  const { config } = await broker.manager.streams.info('TRIGGERS')
  await broker.manager.streams.delete('TRIGGERS')
  await broker.publish(...visitsOf(1_600))
  await eventually('the outboxes are full', () => engine.partitions.every(({ outboxEntries }) => outboxEntries >= 5))
  await broker.manager.streams.purge('EVENTS')
  await broker.manager.streams.add(config)
  await engine.halted('events_lost', partitions)
})

test('a stream that ends before the position halts the partition, and accepted, later events count', async t => {
  const { broker, servers, start } = await world(t)
  const user = userOf(1)
  const before = visit(user)
  const first = await start()
  await broker.publish(before)
  await eventually('it is out', async () => (await triggered(broker)).length === 1)
  await first.stop()
  // As after a power cut that took the end of the stream: more was processed than it holds.
  await editMeta(t, servers.redis.url, 'visits', 1, { position: 100, last_seq: 100, anchor: '' })
  const second = await start()
  await second.halted('stream_truncated', [1])
  await eventually('the others run', () => second.partitions.filter(({ state }) => state === 'running').length === 3)
  await second.store.accept(1, 'stream_truncated')
  await second.running()
  const after = visit(user)
  await broker.publish(after)
  await eventually('it is out', async () => (await triggered(broker)).length === 2)
  t.strictSame(await triggered(broker), [idOf(before), idOf(after)])
  t.equal((await broker.read('TRIGGERS'))[1]!.json()['seq'], 101, 'positions go on rising')
})

test('another event at the position halts the partition', async t => {
  const { broker, servers, start } = await world(t)
  const first = await start()
  await broker.publish(visit(userOf(1)))
  await eventually('it is out', async () => (await triggered(broker)).length === 1)
  await first.idle()
  await first.stop()
  await editMeta(t, servers.redis.url, 'visits', 1, { anchor: '1:1700000000000:abcdef' })
  const second = await start()
  await second.halted('anchor_mismatch', [1])
  await second.store.accept(1, 'state_lost')
  const token = (await second.store.readMeta(1))!.token
  await eventually('it is checked again', async () => (await second.store.readMeta(1))!.token !== token)
  await second.halted('anchor_mismatch', [1])
  await second.store.accept(1, 'anchor_mismatch')
  await second.running()
  t.equal((await triggered(broker)).length, 1)
})

test('profiles are served while a partition is halted', async t => {
  const { broker, start } = await world(t)
  const engine = await start()
  const user = userOf(2)
  await broker.publish(visit(user))
  await eventually('it counts', async () => (await engine.engine.profile(user)) !== undefined)
  await broker.manager.streams.delete('EVENTS')
  await engine.halted('stream_missing', [2])
  t.match(await engine.engine.profile(user), { view: { traits: { visits: 1 } }, isStale: false })
})

test('another pipeline on the same output streams is noticed', async t => {
  const { broker, start } = await world(t)
  const first = await start()
  await broker.publish(...visitsOf(20))
  await eventually('all are out', async () => (await triggered(broker)).length === 20)
  await first.stop()
  const other = await start(visits({ name: 'others' }))
  await other.halted('output_shared', partitions)
})

test('where publishing is fenced, another pipeline on the same output streams is noticed while running', async t => {
  const { broker, start } = await world(t, { release: 'current' })
  const engine = await start()
  await broker.publish(...visitsOf(20))
  await eventually('all are out', async () => (await triggered(broker)).length === 20)
  const fields = headers()
  fields.set('Nats-Msg-Id', 'others-00000000:1:0')
  fields.set('Millrace-Position', '1:0')
  await broker.connection.jetstream().publish('triggers.seen.2', '', { headers: fields })
  await broker.publish(visit(userOf(2)))
  await engine.halted('output_shared', [2])
})

test('a definition that changed, with a Redis from before the change, halts', async t => {
  const { broker, servers, start } = await world(t)
  const first = await start()
  await broker.publish(...visitsOf(20))
  await eventually('all are out', async () => (await triggered(broker)).length === 20)
  await first.stop()
  const copy = await backUp(servers.redis, 'before')
  const changed = visits({ quietAfter: '2h' })
  const second = await start(changed)
  await broker.publish(...visitsOf(20))
  await eventually('all are out', async () => (await triggered(broker)).length === 40)
  await second.stop()
  const third = await start(visits({ quietAfter: '3h' }))
  await broker.publish(...visitsOf(20))
  await eventually('all are out', async () => (await triggered(broker)).length === 60)
  await third.stop()
  await restore(servers.redis, copy)
  const fourth = await start(visits({ quietAfter: '3h' }))
  await fourth.halted('definition_rolled_back', partitions)
})

test('a stored effect that cannot be decoded halts its partition until the stored form is back', async t => {
  const { broker, servers, start } = await world(t)
  const first = await start()
  await broker.publish(...visitsOf(20))
  await eventually('all are out', async () => (await triggered(broker)).length === 20)
  await first.stop()
  const redis = redisClient(t, servers.redis.url)
  await redis.rpush('mr:{visits:1}:o', 'no effect')
  const definition = await redis.hget('mr:{visits:1}:meta', 'definition')
  await broker.publish(...visitsOf(20))
  const second = await start(visits({ quietAfter: '2h' }))
  await second.halted('outbox_unreadable', [1])
  t.equal(await redis.hget('mr:{visits:1}:meta', 'definition'), definition, 'nothing is taken up before')
  await redis.lrem('mr:{visits:1}:o', 1, 'no effect')
  await second.running()
  await eventually('all are out', async () => (await triggered(broker)).length === 40)
})

test('what a replica halts is shown as halted, also while it is tried again, until it runs', async t => {
  const { broker, servers, start } = await world(t)
  const engine = await start(visits(), { settings: { MILLRACE_LEASE_TTL: '1s' } })
  await engine.running()
  // Longer than from one sign to the next: a session that halts is seen to run before.
  const load = engine.store.load.bind(engine.store)
  let loads = 0
  Object.assign(engine.store, {
    load: async (...args: Parameters<typeof load>) => (loads++, await delay(300), load(...args)),
  })
  const redis = redisClient(t, servers.redis.url)
  const unreadable = `mr:{visits:1}:p:${userOf(1)}`
  await redis.set(unreadable, 'no profile')
  await broker.publish(visit(userOf(1)))
  const shown = async () => [...haltsIn([...(await engine.store.members()).values()].join())].join()
  await eventually('it is shown', async () => (await shown()) === '1,profile_unreadable')
  const before = loads
  const [signs, states] = [new Set<string>(), new Set<string>()]
  await eventually('it has been tried again', async () => {
    signs.add(await shown())
    states.add(engine.partitions[1]!.state)
    return loads > before + 2
  })
  t.strictSame([...signs], ['1,profile_unreadable'])
  t.strictSame([...states], ['halted'])
  t.equal(engine.log.lines.filter(({ sentence }) => sentence === 'partition is halted').length, 1, 'said once')
  await redis.del(unreadable)
  await eventually('it is over', async () => (await shown()) === '')
  await eventually('the event is folded', async () => (await triggered(broker)).length === 1)
})
