/** A new generation beside the one in force: silent until that is sealed, and then nothing is decided twice or left out. */
import { test } from 'tap'
import type { ProfileStore } from '../../engine/index.js'
import { eventually } from '../support/eventually.js'
import { exactlyOnce } from '../support/exactly-once.js'
import type { RunningEngine } from '../support/engine.js'
import { backUp, flushRedis, redisClient, restore } from '../support/redis.js'
import { inOrder, SteadyLoad } from '../support/steady-load.js'
import { idOf, visit, visitPartitions, visits } from '../support/visits.js'
import { triggered, users, visitsOf, world, type World } from '../support/world.js'

const partitions = Array.from({ length: visitPartitions }, (_, partition) => partition)

/** Starts an engine with this generation. */
function startGeneration({ start }: World, generation: number, pipeline = visits()): Promise<RunningEngine> {
  return start(pipeline, { settings: { MILLRACE_GENERATION: String(generation), MILLRACE_LEASE_TTL: '1s' } })
}

async function phases({ store }: RunningEngine): Promise<string[]> {
  return Promise.all(partitions.map(async partition => (await store.readMeta(partition))?.phase ?? 'none'))
}

/** The second generation has folded what the first has. */
async function followed(second: RunningEngine): Promise<void> {
  await eventually('the second generation has followed', async () => {
    for (const partition of partitions) {
      const [one, two] = [await second.store.at(1).readMeta(partition), await second.store.readMeta(partition)]
      if (two?.phase !== 'building' || two.position !== one?.position) return false
    }
    return true
  })
}

async function seal(store: ProfileStore): Promise<void> {
  for (const partition of partitions) {
    await eventually('it is sealed', async () => (await store.seal(partition, false)) === 'sealed')
  }
}

async function inForce(engine: RunningEngine): Promise<void> {
  await eventually('it is in force', async () => (await phases(engine)).every(phase => phase === ''))
  await engine.running()
}

test('a generation is built silently, and after the switch goes on where the one before ended', async t => {
  const place = await world(t)
  const { broker } = place
  const first = await startGeneration(place, 1)
  const load = new SteadyLoad(t, broker.connection, events => broker.publish(...events))
  await load.goesOn()
  const second = await startGeneration(place, 2)
  await eventually('it is being built', async () => (await phases(second)).every(phase => phase === 'building'))
  await load.goesOn()
  t.equal(await second.metric('millrace_published_total'), 0)
  await seal(first.store)
  await inForce(second)
  await load.goesOn()
  await load.stop()
  await exactlyOnce(t, broker, second, load.sent)
  await inOrder(t, broker)
  await eventually('the first generation stands by', () =>
    first.partitions.every(({ state, owner }) => state === 'standby' && owner === '(sealed)'),
  )
  t.ok((await first.engine.profile(users[0]!)) !== undefined, 'its profiles stay readable')
  t.ok(first.engine.isReady)
  const sealings = first.log.lines.filter(({ sentence }) => sentence.startsWith('partition is sealed'))
  t.equal(sealings.length, visitPartitions, 'it says so once')
})

test('a timer fires in the generation that is in force when it is due, and in no other', async t => {
  const place = await world(t)
  const { broker } = place
  const pipeline = visits({ quietAfter: '1s' })
  const first = await startGeneration(place, 1, pipeline)
  const quiet = async (): Promise<string[]> => (await triggered(broker, 'gone_quiet')).sort()
  const visitsBy = (names: readonly string[]) => names.map(name => visit(name))
  const [early, late] = [visitsBy(users.slice(0, 10)), visitsBy(users.slice(10))]
  await broker.publish(...early)
  // By the wall clock: no later event of the partition has brought the time.
  await eventually('the first has fired', async () => (await quiet()).length === early.length)
  const second = await startGeneration(place, 2, pipeline)
  await followed(second)
  await broker.publish(...late)
  await eventually('all are seen', async () => (await triggered(broker)).length === users.length)
  await seal(first.store)
  await inForce(second)
  await eventually('the second fires', async () => (await quiet()).length >= users.length)
  const after = visitsBy(users)
  await broker.publish(...after)
  await eventually('and again', async () => (await quiet()).length >= 2 * users.length)
  t.strictSame(await quiet(), [...early, ...late, ...after].map(idOf).sort())
})

test('a timer that fired by the wall clock does not fire again where no event has come since', async t => {
  const place = await world(t)
  const { broker } = place
  const pipeline = visits({ quietAfter: '1s' })
  const first = await startGeneration(place, 1, pipeline)
  const before = visitsOf(users.length)
  await broker.publish(...before)
  await eventually('the first has fired', async () => (await triggered(broker, 'gone_quiet')).length === users.length)
  await first.idle()
  const second = await startGeneration(place, 2, pipeline)
  await followed(second)
  await seal(first.store)
  await inForce(second)
  const goodbyes = users.map(user => visit(user, { type: 'goodbye' }))
  await broker.publish(...goodbyes)
  await eventually('they are counted', async () => (await second.metric('millrace_events_total')) === 2 * users.length)
  t.equal((await triggered(broker, 'gone_quiet')).length, users.length)
})

test('what the sealed generation has decided and not published, the next one publishes', async t => {
  const place = await world(t)
  const { broker } = place
  const first = await startGeneration(place, 1)
  const before = visitsOf(40)
  await broker.publish(...before)
  const second = await startGeneration(place, 2)
  await eventually('they are out', async () => (await triggered(broker)).length === 40)
  await followed(second)
  const { config } = await broker.manager.streams.info('TRIGGERS')
  await broker.manager.streams.delete('TRIGGERS')
  const between = visitsOf(40)
  await broker.publish(...between)
  await eventually('they are decided', () =>
    first.partitions.reduce((sum, { outboxEntries }) => sum + outboxEntries, 0) >= 40 ? true : undefined,
  )
  await first.stop(0)
  await seal(second.store.at(1))
  await second.halted('stream_missing', partitions)
  await broker.manager.streams.add(config)
  await inForce(second)
  const after = visitsOf(20)
  await broker.publish(...after)
  await eventually('all are out', async () => (await triggered(broker)).length >= 60)
  await second.idle()
  t.strictSame((await triggered(broker)).sort(), [...between, ...after].map(idOf).sort())
  await inOrder(t, broker)
})

test('what the sealed generation cannot hand over halts the next one before it is in force', async t => {
  const place = await world(t)
  const { broker, servers } = place
  const first = await startGeneration(place, 1)
  const sent = visitsOf(100)
  await broker.publish(...sent)
  await eventually('all are out', async () => (await triggered(broker)).length === sent.length)
  const second = await startGeneration(place, 2)
  await followed(second)
  await first.stop()
  const redis = redisClient(t, servers.redis.url)
  await redis.rpush('mr:{visits:1}:o', 'no effect')
  await seal(second.store.at(1))
  await second.halted('outbox_unreadable', [1])
  t.equal((await second.store.readMeta(1))?.phase, 'building')
  await redis.lrem('mr:{visits:1}:o', 1, 'no effect')
  await inForce(second)
  await exactlyOnce(t, broker, second, sent)
})

test('building and switching go on after whatever ends the engine', async t => {
  const place = await world(t)
  const { broker } = place
  const first = await startGeneration(place, 1)
  const load = new SteadyLoad(t, broker.connection, events => broker.publish(...events))
  await load.goesOn()
  let second = await startGeneration(place, 2)
  await eventually('it is being built', async () => (await phases(second)).includes('building'))
  await second.stop(0)
  second = await startGeneration(place, 2)
  await eventually('it is being built', async () => (await phases(second)).every(phase => phase === 'building'))
  // Half of the partitions, then everything ends.
  for (const partition of [0, 1]) await first.store.seal(partition, true)
  await Promise.all([first.stop(0), second.stop(0)])
  const [again, third] = [await startGeneration(place, 1), await startGeneration(place, 2)]
  await load.goesOn()
  await seal(again.store)
  await inForce(third)
  await load.goesOn()
  await load.stop()
  await exactlyOnce(t, broker, third, load.sent)
})

test('a Redis that falls back to before the switch is switched again, and nothing is published twice', async t => {
  const place = await world(t)
  const { broker, servers } = place
  const first = await startGeneration(place, 1)
  const sent = visitsOf(60)
  await broker.publish(...sent)
  const second = await startGeneration(place, 2)
  await followed(second)
  const backup = await backUp(servers.redis, 'building')
  const publish = async (count: number): Promise<void> => {
    const more = visitsOf(count)
    await broker.publish(...more)
    sent.push(...more)
    await eventually('they are out', async () => (await triggered(broker)).length >= sent.length)
  }
  await eventually('Redis is back', () => seal(first.store).then(() => true))
  await inForce(second)
  await publish(40)

  await restore(servers.redis, backup)
  await eventually('it is being built', async () => (await phases(second)).every(phase => phase === 'building'))
  await followed(second)
  await seal(first.store)
  await inForce(second)
  await publish(20)
  await exactlyOnce(t, broker, second, sent)
})

test('a generation that has none before it is not built beside one in force', async t => {
  const place = await world(t)
  const first = await startGeneration(place, 1)
  await place.broker.publish(...visitsOf(20))
  await eventually('they are out', async () => (await triggered(place.broker)).length === 20)
  await first.idle()
  const third = await startGeneration(place, 3)
  await third.halted('generation_mismatch', partitions)
})

test('a definition that changes while it is being built halts the building', async t => {
  const place = await world(t)
  await startGeneration(place, 1)
  await place.broker.publish(...visitsOf(20))
  const second = await startGeneration(place, 2)
  await eventually('it is being built', async () => (await phases(second)).every(phase => phase === 'building'))
  await second.stop()
  const changed = await startGeneration(place, 2, visits({ quietAfter: '2h' }))
  await changed.halted('generation_mismatch', partitions)
})

test('a generation whose predecessor Redis has lost is not begun until the loss is accepted', async t => {
  const place = await world(t)
  const { broker } = place
  const first = await startGeneration(place, 1)
  const before = visitsOf(40)
  await broker.publish(...before)
  await eventually('they are out', async () => (await triggered(broker)).length === 40)
  await first.stop()
  await flushRedis(t, place.servers.redis.url)
  const second = await startGeneration(place, 2)
  await second.halted('state_lost', partitions)
  for (const partition of partitions) await second.store.accept(partition, 'state_lost')
  await inForce(second)
  const after = visitsOf(20)
  await broker.publish(...after)
  await eventually('all are out', async () => (await triggered(broker)).length >= 60)
  await second.idle()
  t.strictSame((await triggered(broker)).sort(), [...before, ...after].map(idOf).sort())
})
