import { test } from 'tap'
import { MsgHdrsImpl } from 'nats'
import { Arrivals } from '../../../../engine/nats/arrivals.js'
import type { RawBytes } from '../../../../engine/nats/raw-message.js'

/** The two fields of a received message that are looked at. */
function message(subject: string, payload: string, header = ''): RawBytes {
  const bytes = Buffer.from(header + payload)
  const raw = { subject: Buffer.from(subject), hdr: header === '' ? -1 : Buffer.byteLength(header) }
  return { _msg: raw, _rdata: bytes }
}

function filled(count: number): Arrivals {
  const arrivals = new Arrivals()
  for (let seq = 1; seq <= count; seq++)
    arrivals.push(seq, 1_000 + seq, 1_000.5 + seq, message('events.3.web.visit', `#${seq}`))
  return arrivals
}

const seqsOf = ({ events }: ReturnType<Arrivals['take']>) => events.map(({ seq }) => seq)

test('an event comes out as it was received', async t => {
  const arrivals = new Arrivals()
  const header = 'NATS/1.0\r\nTrace: 7\r\nTrace: 8\r\n\r\n'
  arrivals.push(42, 1_000, 1_000.25, message('events.3.web.visit', 'payload', header))
  const { events, brokerMs } = arrivals.take(10, 1_000, Infinity)
  const [event] = events
  t.match(event, {
    seq: 42,
    source: 'web',
    type: 'visit',
    receivedAt: 1_000,
    occurredAt: 1_000,
    key: '',
    value: undefined,
  })
  t.strictSame(brokerMs, [1_000.25])
  t.equal(event!.bytes.toString(), 'payload')
  t.equal(event!.origin.subject, 'events.3.web.visit')
  t.strictSame([...event!.origin.headers!], [['Trace', ['7', '8']]])
  t.equal(arrivals.count, 0)
})

test('an event without headers or payload has none', async t => {
  const arrivals = new Arrivals()
  const { _msg } = message('events.3.web.visit', '')
  arrivals.push(1, 1_000, 1_000, { _msg })
  const [event] = arrivals.take(1, 1, Infinity).events
  t.equal(event!.bytes.length, 0)
  t.equal(event!.origin.headers, undefined)
})

test('headers that the client refuses to decode are refused when they are looked at, not before', async t => {
  const header = 'NATS/1.0\r\nbad name: 1\r\n\r\n'
  t.throws(() => MsgHdrsImpl.decode(Buffer.from(header)), 'the client refuses them')
  const arrivals = new Arrivals()
  arrivals.push(1, 1_000, 1_000, message('events.3.web.visit', 'x', header))
  const [event] = arrivals.take(1, 1, Infinity).events
  t.equal(event!.bytes.toString(), 'x')
  t.throws(() => event!.origin.headers)
})

test('events come out in order, however many wait and however often some are taken', async t => {
  const arrivals = new Arrivals()
  const taken: string[] = []
  let seq = 0
  for (const [pushed, asked] of [
    [100, 30],
    [200, 7],
    [50, 300],
    [1_000, 900],
    [3, 500],
  ] as const) {
    for (let i = 0; i < pushed; i++) {
      seq++
      arrivals.push(seq, seq, seq, message(`events.3.web.type${seq % 3}`, `#${seq}`))
    }
    for (const { seq, type, bytes } of arrivals.take(asked, Infinity, Infinity).events)
      taken.push(`${seq} ${type} ${bytes}`)
  }
  const expected = Array.from({ length: 1_353 }, (_, i) => `${i + 1} type${(i + 1) % 3} #${i + 1}`)
  t.strictSame(taken, expected)
  t.equal(arrivals.count, 0)
})

test('bounds of a batch: number, bytes, and the last sequence; one event always fits the bytes', async t => {
  const arrivals = filled(9)
  t.strictSame(seqsOf(arrivals.take(2, Infinity, Infinity)), [1, 2])
  t.strictSame(seqsOf(arrivals.take(9, 3, Infinity)), [3, 4], 'until the bytes are reached')
  t.strictSame(seqsOf(arrivals.take(9, 0, Infinity)), [5])
  t.strictSame(seqsOf(arrivals.take(9, Infinity, 7)), [6, 7])
  t.strictSame(seqsOf(arrivals.take(9, Infinity, 7)), [])
  t.equal(arrivals.nextSeq, 8)
})

test('the bytes held are those of payloads and headers', async t => {
  const arrivals = new Arrivals()
  arrivals.push(1, 1, 1, message('events.3.web.visit', 'four', 'NATS/1.0\r\n\r\n'))
  arrivals.push(2, 2, 2, message('events.3.web.visit', 'six456'))
  t.equal(arrivals.bytes, 22)
  arrivals.take(1, Infinity, Infinity)
  t.equal(arrivals.bytes, 6)
  arrivals.clear()
  t.equal(arrivals.bytes, 0)
  t.equal(arrivals.nextSeq, Infinity)
})

test('a message does not have to stay as it was after it has arrived', async t => {
  const arrivals = new Arrivals()
  const received = message('events.3.web.visit', 'first')
  arrivals.push(1, 1, 1, received)
  received._rdata!.fill(0)
  const { _msg } = received
  _msg.subject.fill(0)
  const [event] = arrivals.take(1, 1, Infinity).events
  t.equal(event!.bytes.toString(), 'first')
  t.equal(event!.type, 'visit')
})

test('a payload larger than what is reserved at a time arrives whole', async t => {
  const arrivals = new Arrivals()
  const large = 'x'.repeat(300_000)
  arrivals.push(1, 1, 1, message('events.3.web.visit', 'before'))
  arrivals.push(2, 2, 2, message('events.3.web.visit', large))
  arrivals.push(3, 3, 3, message('events.3.web.visit', 'after'))
  const texts = arrivals.take(3, Infinity, Infinity).events.map(({ bytes }) => bytes.toString())
  t.strictSame(texts, ['before', large, 'after'])
})

test('subjects whose hashes are equal are kept apart', async t => {
  // 31 * 'A' + 'a' = 31 * 'B' + 'B', the well-known pair of this hash.
  const arrivals = new Arrivals()
  for (const type of ['Aa', 'BB', 'Aa']) arrivals.push(1, 1, 1, message(`events.3.web.${type}`, ''))
  t.strictSame(
    arrivals.take(3, 1, Infinity).events.map(({ type }) => type),
    ['Aa', 'BB', 'Aa'],
  )
})
