/** JetStream with three replicas for real: leaders that hand over, freeze and die; no event is lost, no trigger comes twice. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { Names } from '../../engine/nats/names.js'
import { provision } from '../../engine/nats/provision.js'
import { Streams, type BatchConfig } from '../../engine/nats/streams.js'
import { isAtLeast } from '../../engine/version.js'
import { answered } from '../support/answered.js'
import { Broker, type TestEvent } from '../support/broker.js'
import { startEngine } from '../support/engine.js'
import { eventually } from '../support/eventually.js'
import { exactlyOnce } from '../support/exactly-once.js'
import { impatient, startNatsCluster } from '../support/nats-cluster.js'
import { testOnEachNats } from '../support/nats-releases.js'
import { startRedis } from '../support/servers.js'
import { inOrder, SteadyLoad } from '../support/steady-load.js'
import { idOf, userOf, visit, visitPartitions, visits } from '../support/visits.js'

/** Servers wait 4 to 9 s before they elect, and a group may need a second try. */
const withinMs = 120_000

/** Until the broker has taken them; it knows a repetition by its id. */
async function publishSurely(broker: Broker, events: readonly TestEvent[]): Promise<void> {
  const named = events.map(event => ({ ...event, messageId: idOf(event) }))
  await eventually('the broker takes events', async () => (await broker.publish(...named)).length > 0, { withinMs })
}

testOnEachNats('an engine on a JetStream cluster', async (suite, nats) => {
  const cluster = await startNatsCluster(suite, { partitions: visitPartitions, ...nats })
  const redis = await startRedis(suite)
  const setup = { nats: cluster.addresses.join(','), redis: redis.url, settings: { MILLRACE_REPLICAS: '3' } }
  const engine = await startEngine(suite, { ...setup, pipeline: visits() })
  await engine.running()
  const broker = await Broker.connect(suite, cluster.nodes[0]!.url, impatient)
  const load = new SteadyLoad(suite, broker.connection, events => publishSurely(broker, events))
  await load.goesOn()
  const tell = (t: Test, since: number) =>
    t.comment(
      `nats-server ${cluster.nodes[0]!.version}: longest silence of a partition ${load.longestSilenceMs(since)} ms`,
    )

  suite.test('streams have three replicas', async t => {
    for (const stream of ['EVENTS', 'TRIGGERS', 'SEGMENTS', 'MILLRACE']) {
      const { config, cluster } = await broker.manager.streams.info(stream)
      t.equal(config.num_replicas, 3, stream)
      t.equal(cluster?.replicas?.length, 2, `${stream}: two besides the leader`)
    }
  })

  suite.test('a stream of a cluster is told to take batches only when somebody asks for it', async t => {
    const names = new Names({ ...new Names().streams, triggers: 'OLD' })
    await broker.manager.streams.add({ name: 'OLD', subjects: ['old.*.*'], num_replicas: 3 })
    const allowed = async (stream = 'OLD') => {
      const config = (await broker.manager.streams.info(stream)).config as BatchConfig
      return config.allow_atomic === true || config.allow_batched === true
    }
    t.notOk(await allowed('TRIGGERS'), 'nor is one that the engine has made')
    const options = {
      mode: 'create',
      partitions: visitPartitions,
      replicas: 3,
      keepMs: 3_600_000,
      minKeepMs: 0,
    } as const
    await provision(broker.connection, names, options)
    t.notOk(await allowed(), 'an older server may be among those that keep it')
    await provision(broker.connection, names, { ...options, isExplicit: true })
    t.equal(await allowed(), isAtLeast(cluster.nodes[0]!.version, '2.12'))
  })

  suite.test('a stream that ends before what it held is asked again before that is believed', async t => {
    await broker.manager.streams.add({ name: 'LAGGING', subjects: ['lagging'], num_replicas: 3 })
    const open = (asksMs: number) => Streams.open(broker.connection, true, { believesAfterMs: 3_000, asksMs })
    const streams = await open(1_500)
    const { created } = await streams.freshFacts('LAGGING')
    const asked = streams.settledFacts('LAGGING', { created, seq: 1 })
    await delay(500)
    await eventually('the stream takes an event', () => broker.connection.jetstream().publish('lagging', ''), {
      withinMs,
    })
    t.equal((await asked).lastSeq, 1)
    const missing = { created, seq: 2 }
    await t.rejects(streams.settledFacts('LAGGING', missing), { code: 'nats_unavailable' }, 'an engine attaches again')
    const patient = await open(Infinity)
    t.equal((await patient.settledFacts('LAGGING', missing)).lastSeq, 1, 'a person waits')
    t.equal((await streams.settledFacts('LAGGING', missing)).lastSeq, 1, 'and then it is believed')
  })

  suite.test('leaders step down', async t => {
    const since = performance.now()
    for (const stream of ['EVENTS', 'TRIGGERS']) {
      await cluster.stepDown(stream)
      await load.goesOn()
    }
    tell(t, since)
  })

  suite.test('the leader of TRIGGERS freezes, and wakes up after another one took over', async t => {
    const since = performance.now()
    const leader = await cluster.leaderOf('TRIGGERS')
    leader.pause()
    await cluster.ledByAnother('TRIGGERS', leader)
    await load.goesOn()
    leader.resume()
    tell(t, since)
  })

  suite.test('the leader of EVENTS is killed, and when another one took over all nodes are', async t => {
    const since = performance.now()
    // The node that was frozen may still lack what the two others have; one of those is about to be killed.
    await cluster.healthy()
    const leader = await cluster.leaderOf('EVENTS')
    await leader.kill()
    await cluster.ledByAnother('EVENTS', leader)
    await leader.start()
    // Nor may one of those that start together lack the end: a stream that it then leads has lost acknowledged events.
    await cluster.healthy()
    await Promise.all(cluster.nodes.map(node => node.kill()))
    await eventually('the engine has noticed', () => !engine.engine.isNatsConnected)
    await Promise.all(cluster.nodes.map(node => node.start()))
    await load.goesOn()
    tell(t, since)
  })

  suite.test('at the end no event is lost, no trigger comes twice, and all are in order', async t => {
    await load.stop()
    await exactlyOnce(t, broker, engine, load.sent)
    // Older servers cannot check the order; a leader that steps down may then lose one publish and take the next.
    if (isAtLeast(cluster.nodes[0]!.version, '2.11.0')) await inOrder(t, broker)
    t.equal(await broker.count('EVENTS'), load.sent.length)
  })

  suite.test(
    'a timer that no event makes due waits until the servers must have agreed on what came before',
    async t => {
      await engine.stop()
      const second = await startEngine(suite, { ...setup, pipeline: visits({ quietAfter: '1s' }) })
      await second.running()
      await publishSurely(broker, [visit(userOf(0))])
      const fired = await eventually('it fires', async () =>
        (await broker.read('TRIGGERS')).find(({ subject }) => subject.startsWith('triggers.gone_quiet.')),
      )
      const { time } = await answered(() => broker.manager.streams.getMessage('TRIGGERS', { seq: fired.seq }))
      const lateMs = time.getTime() - fired.json<{ at: number }>().at
      t.ok(lateMs >= 2_000 && lateMs < 10_000, `${lateMs} ms late`)
    },
  )
})
