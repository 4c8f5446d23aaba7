import { Redis } from 'ioredis'
import t from 'tap'
import { millrace } from '../../benchmarks/contenders/millrace.js'
import { publishBacklog } from '../../benchmarks/harness/backlog.js'
import { drain } from '../../benchmarks/harness/drain.js'
import { LoadGenerator } from '../../benchmarks/harness/load-generator.js'
import { OpenLoop } from '../../benchmarks/harness/open-loop.js'
import { Rig } from '../../benchmarks/harness/rig.js'
import { personalization } from '../../benchmarks/workloads/personalization/workload.js'
import { partitionOf } from '../../engine/nats/partitioning.js'

const load = { seed: 1, users: 500 }

t.test('harness', async t => {
  const rig = await Rig.start(personalization, () => undefined)
  t.teardown(() => rig.stop())
  const { manager } = rig.streams

  t.test('a load is stored as it was made, in order, in its partitions and not before it was due', async t => {
    await rig.clear()
    const generator = await LoadGenerator.start(rig, load)
    t.teardown(() => generator.stop())
    const [events, rate] = [2_000, 4_000]
    const { startedAtMs, sent } = await generator.send({ events, rate, skip: 500 })
    const lag = await sent
    t.equal(lag?.count, 1_500, 'the lag is of all but those that are skipped')
    t.equal((await rig.streams.freshFacts('EVENTS')).lastSeq, events)
    const expected = [...personalization.messages({ ...load, events, clock: () => 0 })]
    for (const number of [0, 1_000, 1_999]) {
      const stored = await manager.streams.getMessage('EVENTS', { seq: number + 1 })
      const { subject, messageId } = expected[number]!
      const [, source, type, key] = subject.split('.')
      t.equal(stored.subject, `events.${partitionOf(key!, 16)}.${source}.${type}`)
      t.equal(stored.header.get('Nats-Msg-Id'), messageId)
      t.ok(stored.time.getTime() >= Math.floor(startedAtMs + (number * 1_000) / rate), `${number} is not early`)
    }
  })

  t.test('a load that no stream takes fails', async t => {
    await rig.clear()
    await manager.streams.delete('EVENTS')
    const generator = await LoadGenerator.start(rig, load)
    t.teardown(() => generator.stop())
    const { sent } = await generator.send({ events: 10, rate: 1_000, skip: 0 })
    await t.rejects(sent, { message: /not stored as sent: NATS\/1\.0 503/ })
  })

  t.test('a contender under load: sustained, with a latency for its triggers, and exact', async t => {
    const loop = await OpenLoop.start(rig, millrace, load)
    t.teardown(() => loop.stop())
    const { isFinished, latency, measurement } = await loop.run({ rate: 500, warmUpSeconds: 0.5, seconds: 1 })
    await loop.stop()
    t.ok(isFinished)
    t.ok(latency!.brokerToTriggerMs.count > 10)
    t.ok(latency!.dueToTriggerMs.most >= latency!.brokerToTriggerMs.p50, 'the schedule is before the broker')
    t.ok(Object.values(measurement.cpuUsPerEvent).every(us => us >= 0))
    t.strictSame(await loop.differences(), {})
  })

  t.test('a profile or a trigger too few or too many is noticed', async t => {
    await rig.clear()
    const backlog = await publishBacklog(rig, { ...load, events: 20_000 })
    const spoiling = {
      ...millrace,
      totals: async (...site: Parameters<NonNullable<typeof millrace.totals>>) => {
        const redis = new Redis(rig.servers.redis.url)
        const [profile] = await redis.keys('mr:*:p:*')
        await redis.del(profile!)
        await rig.connection.jetstream().publish('triggers.welcome.nobody')
        redis.disconnect()
        return millrace.totals!(...site)
      },
    }
    const { isComplete, differences } = await drain(rig, spoiling, backlog)
    t.ok(isComplete)
    t.equal(differences!['triggers.welcome'], 1)
    t.ok(Object.entries(differences!).some(([name, by]) => !name.startsWith('triggers.') && by < 0))
  })

  t.test('a backlog is worked off again after a reset, exactly', async t => {
    await rig.clear()
    const backlog = await publishBacklog(rig, { ...load, events: 20_000 })
    for (let round = 1; round <= 2; round++) {
      await rig.reset()
      t.strictSame((await drain(rig, millrace, backlog)).differences, {}, `round ${round}`)
    }
  })
})
