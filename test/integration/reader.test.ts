/** The reader: every event of its partition, in order, bounded, whatever happens to the consumer, the link and the stream. */
import type { Test } from 'tap'
import { MillraceError } from '../../engine/errors.js'
import type { Event } from '../../engine/event.js'
import { connectNats, followConnection } from '../../engine/nats/connection.js'
import { Names } from '../../engine/nats/names.js'
import { provision } from '../../engine/nats/provision.js'
import { Reader, type ReaderOptions } from '../../engine/nats/reader.js'
import { Streams } from '../../engine/nats/streams.js'
import { checkStream } from '../../engine/partition/attach.js'
import { withoutNothing } from '../../engine/protections.js'
import { Broker } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { testOnEachNats } from '../support/nats-releases.js'
import { startProxy } from '../support/proxy.js'
import { startNats } from '../support/servers.js'
import { userOf, visit, visitPartitions } from '../support/visits.js'

const names = new Names()
const partition = 2

interface Scene {
  readonly broker: Broker
  readonly port: number
  /** Publishes as many events of this partition and of another one in turn; gives the sequences of ours. */
  publish(count: number, payloadBytes?: number): Promise<number[]>
}

async function scene(t: Test, release: Parameters<typeof startNats>[1]): Promise<Scene> {
  const nats = await startNats(t, { partitions: visitPartitions, ...release })
  const broker = await Broker.connect(t, nats.url)
  const options = { partitions: visitPartitions, replicas: 1, keepMs: 86_400_000, minKeepMs: 0 }
  await provision(broker.connection, names, { ...options, mode: 'create' })
  const [ours, other] = [userOf(partition), userOf(1)]
  return {
    broker,
    port: nats.port,
    publish: async (count, payloadBytes = 10) => {
      const payload = Buffer.alloc(payloadBytes, 'x')
      const events = Array.from({ length: count }, () => [
        { ...visit(ours), payload },
        { ...visit(other), payload: Buffer.from('{}') },
      ]).flat()
      const sequences: number[] = []
      for (let at = 0; at < events.length; at += 500)
        sequences.push(...(await broker.publish(...events.slice(at, at + 500))))
      return sequences.filter((_, i) => i % 2 === 0)
    },
  }
}

interface Opened {
  readonly reader: Reader
  readonly received: Event[]
  readonly restarts: string[]
  /** Takes all there is. */
  take(): void
  /** Takes until so many events were received. */
  receive(count: number): Promise<void>
}

async function open(
  t: Test,
  { port }: Pick<Scene, 'port'>,
  change: Partial<ReaderOptions> = {},
  after = 0,
): Promise<Opened> {
  const connection = await connectNats({ servers: [`127.0.0.1:${port}`] }, 'test')
  t.teardown(() => connection.close())
  const streams = await Streams.open(connection)
  const { created } = await streams.freshFacts('EVENTS')
  const restarts: string[] = []
  const options: ReaderOptions = {
    stream: 'EVENTS',
    filter: names.eventFilter(partition),
    name: 'test',
    maxEvents: 1_000,
    maxBytes: 1_200_000,
    sequenceOffset: 0,
    notBefore: 0,
    anchor: '',
    lastStored: async () => (await streams.last('EVENTS', names.eventFilter(partition)))?.seq ?? 0,
    verify: async (position, anchor, notBefore) => {
      const expected = { position, sequenceOffset: 0, streamCreated: created, anchor }
      const problem = await checkStream(
        { streams, names, without: withoutNothing },
        expected,
        await streams.facts('EVENTS', notBefore),
      )
      if (problem !== undefined) throw problem
    },
    rewind: async () => 0,
    wake: () => {},
    onRestart: why => restarts.push(why),
    ...change,
  }
  const reader = new Reader(connection, streams.manager, options, after)
  t.teardown(() => reader.close())
  void followConnection(connection, { lost: () => {}, back: () => reader.restart('reconnect') })
  const received: Event[] = []
  const take = () => void received.push(...reader.take(500, 1_000_000).events)
  const receive = async (count: number) => {
    await eventually(`${count} events are received`, () => {
      if (reader.failure !== undefined) throw reader.failure
      take()
      return received.length >= count
    })
  }
  return { reader, received, restarts, take, receive }
}

const seqOf = ({ seq }: Event) => seq

/** Consumers of readers that the server knows. */
async function consumers(broker: Broker): Promise<string[]> {
  const found: string[] = []
  for await (const { name } of broker.manager.consumers.list('EVENTS')) found.push(name)
  return found.filter(name => name.startsWith('test-'))
}

testOnEachNats('every event of the partition comes once, in order, and none of others', async (t, nats) => {
  const s = await scene(t, nats)
  const sequences = await s.publish(1_500)
  const opened = await open(t, s)
  await opened.receive(1_500)
  const later = await s.publish(500)
  await opened.receive(2_000)
  t.strictSame(opened.received.map(seqOf), [...sequences, ...later])
  t.strictSame(opened.restarts, [])
  t.equal(opened.reader.pending, 0)
})

testOnEachNats('an event carries what the broker knows about it', async (t, nats) => {
  const s = await scene(t, nats)
  await s.broker.publish({
    ...visit(userOf(partition)),
    source: 'shop',
    type: 'bought',
    payload: Buffer.from([1, 2, 3]),
  })
  const { received, receive, reader } = await open(t, s, { sequenceOffset: 1_000 })
  const brokerMs: number[] = []
  await eventually('it is received', () => {
    const batch = reader.take(10, 1_000)
    received.push(...batch.events)
    brokerMs.push(...batch.brokerMs)
    return received.length === 1
  })
  await receive(1)
  const event = received[0]!
  const stored = await s.broker.manager.streams.getMessage('EVENTS', { seq: 1 })
  t.match(event, { seq: 1_001, source: 'shop', type: 'bought', key: '', id: undefined, value: undefined })
  t.equal(event.receivedAt, stored.time.getTime(), 'whole milliseconds')
  t.equal(event.occurredAt, event.receivedAt, 'until somebody knows better')
  t.equal(Math.floor(brokerMs[0]!), event.receivedAt, 'the fraction is beside it')
  t.strictSame(event.bytes, Buffer.from([1, 2, 3]))
  t.equal(event.origin.subject, `events.${partition}.shop.bought`)
})

testOnEachNats('reading starts after the position, and time does not go back behind the partition', async (t, nats) => {
  const s = await scene(t, nats)
  const sequences = await s.publish(10)
  const future = 4_000_000_000_000
  const opened = await open(t, s, { notBefore: future }, sequences[3])
  await opened.receive(6)
  t.strictSame(opened.received.map(seqOf), sequences.slice(4))
  for (const { receivedAt } of opened.received) t.equal(receivedAt, future)
})

testOnEachNats('a consumer deleted under the reader loses and repeats nothing', async (t, nats) => {
  const s = await scene(t, nats)
  const opened = await open(t, s, { maxEvents: 50 })
  const sequences: number[] = []
  for (let round = 1; round <= 5; round++) {
    sequences.push(...(await s.publish(100)))
    await opened.receive(round * 100 - 50)
    for (const name of await consumers(s.broker)) await s.broker.manager.consumers.delete('EVENTS', name)
  }
  await opened.receive(500)
  t.strictSame(opened.received.map(seqOf), sequences)
  t.ok(opened.restarts.length >= 4, 'it noticed')
})

testOnEachNats('a link that is cut again and again loses and repeats nothing', async (t, nats) => {
  const s = await scene(t, nats)
  const proxy = await startProxy(t, s.port)
  const sequences = await s.publish(2_000)
  const opened = await open(t, proxy, { maxEvents: 100 })
  for (let cut = 1; cut <= 6; cut++) {
    await opened.receive(cut * 250)
    proxy.cut()
  }
  await opened.receive(2_000)
  t.strictSame(opened.received.map(seqOf), sequences)
})

testOnEachNats('a link that swallows everything for a while loses and repeats nothing', async (t, nats) => {
  const s = await scene(t, nats)
  const proxy = await startProxy(t, s.port)
  const opened = await open(t, proxy)
  const before = await s.publish(10)
  await opened.receive(10)
  await proxy.set('black_hole')
  const during = await s.publish(10)
  await eventually('the reader has doubts', () => opened.restarts.includes('silence'))
  await proxy.set('pass')
  await opened.receive(20)
  t.strictSame(opened.received.map(seqOf), [...before, ...during])
})

testOnEachNats('a taker that is slow never has more than the bound waiting for it', async (t, nats) => {
  const s = await scene(t, nats)
  const sequences = await s.publish(1_000)
  const { reader, received } = await open(t, s, { maxEvents: 64 })
  let most = 0
  while (received.length < 1_000) {
    await eventually('the buffer is as full as it gets', () => {
      most = Math.max(most, reader.buffered)
      return reader.buffered >= 48 || received.length + reader.buffered === 1_000
    })
    received.push(...reader.take(20, 1_000_000).events)
  }
  t.ok(most <= 64, `at most ${most}`)
  t.strictSame(received.map(seqOf), sequences)
})

testOnEachNats('large events are bounded by their bytes', async (t, nats) => {
  const s = await scene(t, nats)
  const payloadBytes = 200_000
  const sequences = await s.publish(60, payloadBytes)
  const { reader, received, restarts } = await open(t, s)
  let most = 0
  await eventually('the buffer is full', () => reader.buffered >= 6)
  await s.broker.connection.flush()
  while (received.length < 60) {
    await eventually('there are some', () => reader.buffered > 0)
    most = Math.max(most, reader.buffered)
    const { events } = reader.take(500, 1_000_000)
    t.ok(events.length <= 5, `a batch of ${events.length} events is within the bytes asked for`)
    received.push(...events)
  }
  t.ok(most * payloadBytes <= 3 * 1_200_000 + payloadBytes, `at most ${most} events waiting`)
  t.strictSame(received.map(seqOf), sequences)
  t.strictSame(restarts, [])
})

testOnEachNats('one event larger than the batch bound still comes', async (t, nats) => {
  const s = await scene(t, nats)
  await s.publish(2, 900_000)
  const opened = await open(t, s)
  await eventually('both are here', () => opened.reader.buffered === 2)
  t.equal(opened.reader.take(10, 1).events.length, 1)
  t.equal(opened.reader.take(10, 1).events.length, 1)
})

testOnEachNats('events removed before they were delivered are not passed over', async (t, nats) => {
  const s = await scene(t, nats)
  await s.publish(300)
  const opened = await open(t, s, { maxEvents: 40 })
  await eventually('the buffer is full', () => opened.reader.buffered === 40)
  await s.broker.manager.streams.purge('EVENTS', { keep: 10 })
  await s.publish(5)
  await eventually('the reader stops', () => {
    opened.take()
    return opened.reader.failure !== undefined
  })
  t.match(opened.reader.failure, { code: 'events_lost' })
})

testOnEachNats(
  'a reader that moved on looks for the event there when it starts again, not for its last one',
  async (t, nats) => {
    const s = await scene(t, nats)
    await s.publish(3)
    const opened = await open(t, s)
    await opened.receive(3)
    const { state } = await s.broker.manager.streams.info('EVENTS')
    const streams = await Streams.open(s.broker.connection)
    opened.reader.advanceTo(state.last_seq, (await streams.anchor('EVENTS', state.last_seq))!)
    opened.reader.restart('a test')
    await s.publish(1)
    await opened.receive(4)
    // As in a store that was brought back and has grown since: behind the event received last there are others.
    const end = state.last_seq + 2
    opened.reader.advanceTo(end, `${end}:1700000000000:other`)
    opened.reader.restart('a test')
    await eventually('the reader stops', () => opened.reader.failure !== undefined)
    t.match(opened.reader.failure, { code: 'anchor_mismatch' })
  },
)

testOnEachNats('events removed while the consumer is made are not passed over', async (t, nats) => {
  const s = await scene(t, nats)
  await s.publish(300)
  let calls = 0
  const { reader, take, received } = await open(t, s, {
    verify: async position => {
      calls++
      // Whatever was seen before the consumer was there, is old.
      if ((await consumers(s.broker)).length === 0) return
      throw new MillraceError('events_lost', `checked at ${position}`)
    },
  })
  await eventually('the reader stops', () => reader.failure !== undefined)
  take()
  t.match(reader.failure, { code: 'events_lost', message: 'checked at 0' })
  t.equal(received.length, 0, 'nothing was read before the check')
  t.ok(calls >= 1)
  await eventually('the consumer is gone again', async () => (await consumers(s.broker)).length === 0)
})

testOnEachNats('a stream that is gone is said, not waited for', async (t, nats) => {
  const s = await scene(t, nats)
  const { reader } = await open(t, s)
  await eventually('it reads', async () => (await consumers(s.broker)).length === 1)
  await s.broker.manager.streams.delete('EVENTS')
  await eventually('the reader stops', () => reader.failure !== undefined)
  t.match(reader.failure, { code: 'stream_missing' })
})

testOnEachNats('facts asked for after a moment are not older than that', async (t, nats) => {
  const s = await scene(t, nats)
  const streams = await Streams.open(s.broker.connection)
  const before = await streams.facts('EVENTS')
  const { config } = await s.broker.manager.streams.info('EVENTS')
  await s.broker.manager.streams.delete('EVENTS')
  await s.broker.manager.streams.add(config)
  const after = await streams.facts('EVENTS', performance.now())
  t.not(after.created, before.created)
  t.strictSame(await streams.facts('EVENTS'), after, 'and serve those who ask next')
})

testOnEachNats(
  'the reader is caught up when it has handed on what the stream holds, and not before',
  async (t, nats) => {
    const s = await scene(t, nats)
    await s.publish(20)
    const { reader, take } = await open(t, s)
    t.equal(await reader.isCaughtUp(), false, 'there is no consumer yet')
    await eventually('all are here', () => reader.buffered === 20)
    t.equal(await reader.isCaughtUp(), false, 'some are not taken')
    take()
    t.equal(await reader.isCaughtUp(), true)
    await s.publish(1)
    await eventually('it is not caught up any more', async () => !(await reader.isCaughtUp()))
    await eventually('the event is here', () => reader.buffered === 1)
    take()
    t.equal(await reader.isCaughtUp(), true)
  },
)

testOnEachNats('a closed reader leaves no consumer behind and buffers nothing', async (t, nats) => {
  const s = await scene(t, nats)
  await s.publish(20)
  const { reader } = await open(t, s)
  await eventually('it reads', () => reader.buffered === 20)
  await reader.close()
  await eventually('the consumer is gone', async () => (await consumers(s.broker)).length === 0)
  await s.publish(5)
  t.equal(reader.buffered, 0)
})
