import { test } from 'tap'
import { Event, type Origin } from '../../../../engine/index.js'
import { Names } from '../../../../engine/nats/names.js'
import { sizeOf, type OutboxEntry } from '../../../../engine/outbox/outbox-entry.js'
import { EffectCollector, type EffectScope } from '../../../../engine/partition/effects.js'

const scope: EffectScope = {
  profile: 'visitor',
  partition: 3,
  incarnation: 'shop-0123abcd',
  sequenceOffset: 100,
  maxMessageBytes: 1_000_000,
}
const open = (change: Partial<EffectScope> = {}) => new EffectCollector(new Names(), { ...scope, ...change })

function eventOf(origin: Partial<Origin> = {}, key = 'ada'): Event {
  const whole = { subject: 'events.3.web.visit', data: Buffer.from('original'), ...origin }
  return new Event(142, 'web', 'visit', 1_000, whole, {}, key, undefined, 1_000)
}

const headersOf = ({ fields }: OutboxEntry) => {
  const pairs: [string, string][] = []
  for (let i = 0; i < fields.length; i += 2) pairs.push([fields[i]!, fields[i + 1]!])
  return Object.fromEntries(pairs)
}

test('effects are numbered after the event they follow, over all lanes', async t => {
  const effects = open()
  effects.key = 'ada'
  effects.follow(7)
  effects.trigger('a', 1, {})
  effects.segment('s', 'entered', 1)
  effects.follow(7)
  effects.suppressed('b', 'cap', 1)
  effects.follow(9)
  effects.trigger('a', 2, {})
  t.strictSame(
    effects.take().entries.map(({ lane, seq, ordinal, subject }) => [lane, seq, ordinal, subject]),
    [
      ['triggers', 7, 0, 'triggers.a.3'],
      ['segments', 7, 1, 'segments.s.entered.3'],
      ['suppressed', 7, 2, 'suppressed.b.cap.3'],
      ['triggers', 9, 0, 'triggers.a.3'],
    ],
  )
})

test('numbering goes on after a restart', async t => {
  const effects = open()
  effects.seq = 7
  effects.ordinal = 4
  effects.trigger('a', 1, {})
  t.match(effects.take().entries, [{ seq: 7, ordinal: 4 }])
  effects.follow(7)
  effects.trigger('a', 1, {})
  t.match(effects.take().entries, [{ seq: 7, ordinal: 5 }], 'taking does not start it anew')
})

test('ids and bodies are the same in every replay', async t => {
  const decide = () => {
    const effects = open()
    effects.key = 'ada'
    effects.follow(7)
    effects.trigger('a', 123, { cart: 1 })
    return effects.take().entries[0]!
  }
  t.strictSame(decide(), decide())
  t.strictSame(JSON.parse(Buffer.from(decide().body).toString()), {
    id: 'shop-0123abcd:3:7:0',
    trigger: 'a',
    profile: 'visitor',
    key: 'ada',
    at: 123,
    seq: 7,
    data: { cart: 1 },
  })
  t.match(headersOf(decide()), {
    'Nats-Msg-Id': 'shop-0123abcd:3:7:0',
    'Millrace-Position': '7:0',
    'Millrace-Key': 'ada',
  })
})

test('what is counted is counted once', async t => {
  const effects = open()
  effects.late('views')
  effects.late('views')
  t.strictSame([...effects.take().counts.late], [['views', 2]], 'although nothing is published')
  t.strictSame([...effects.take().counts.late], [])
  effects.trigger('a', 1, {})
  effects.trigger('a', 1, {})
  effects.suppressed('a', 'cap', 1)
  effects.segment('s', 'exited', 1)
  const { triggers, suppressed, segments } = effects.take().counts
  t.strictSame(
    [...triggers, ...suppressed, ...segments],
    [
      ['a', 2],
      ['a cap', 1],
      ['s exited', 1],
    ],
  )
})

test('a dead letter has the original bytes and headers, and says where it comes from', async t => {
  const effects = open()
  effects.follow(142)
  const headers: [string, string[]][] = [
    ['X-Trace', ['a', 'b']],
    ['Nats-Msg-Id', ['of the producer']],
    ['Nats-Expected-Stream', ['EVENTS']],
  ]
  effects.deadLetter({ event: eventOf({ headers }), stage: 'decode', reason: 'bad', detail: 'line\r\nbreak' })
  const [entry] = effects.take().entries
  t.match(entry, { lane: 'deadletters', subject: 'deadletters.decode.bad.3', seq: 142, ordinal: 0 })
  t.strictSame(Buffer.from(entry!.body), Buffer.from('original'))
  t.match(headersOf(entry!), {
    'Nats-Msg-Id': 'shop-0123abcd:3:142:0',
    'Millrace-Stage': 'decode',
    'Millrace-Reason': 'bad',
    'Millrace-Error': 'line break',
    'Millrace-Stream': 'EVENTS',
    'Millrace-Sequence': '42',
    'Millrace-Subject': 'events.3.web.visit',
    'Millrace-Key': 'ada',
  })
  const traces = entry!.fields.flatMap((field, i) => (field === 'X-Trace' ? [entry!.fields[i + 1]] : []))
  t.strictSame(traces, ['a', 'b'])
  t.equal(
    entry!.fields.filter(field => field.startsWith('Nats-')).length,
    1,
    "the broker's own headers do not come along",
  )
})

test('a dead letter without a key has no header for it', async t => {
  const effects = open()
  effects.deadLetter({ event: eventOf({}, ''), stage: 'decode', reason: 'bad', detail: '' })
  t.notOk('Millrace-Key' in headersOf(effects.take().entries[0]!))
})

test('a dead letter that the server would not take is cut, one that it takes is not', async t => {
  const maxMessageBytes = 100_000
  const letterOf = (size: number) => {
    const effects = open({ maxMessageBytes })
    effects.deadLetter({ event: eventOf({ data: Buffer.alloc(size) }), stage: 'a', reason: 'b', detail: '' })
    return effects.take().entries[0]!
  }
  t.equal(letterOf(80_000).body.length, 80_000)
  const cut = letterOf(99_990)
  t.ok(cut.body.length < maxMessageBytes - 2_000)
  t.equal(headersOf(cut)['Millrace-Truncated-From'], '99990')
})

test('headers without end do not make a dead letter that the server would not take', async t => {
  const maxMessageBytes = 100_000
  const headers: [string, string[]][] = Array.from({ length: 900 }, (_, i) => [`X-${i}`, ['v'.repeat(100)]])
  const effects = open({ maxMessageBytes })
  const event = eventOf({ data: Buffer.alloc(5_000), headers })
  effects.deadLetter({ event, stage: 'a', reason: 'b', detail: 'x'.repeat(5_000) })
  const { body, fields } = effects.take().entries[0]!
  const bytes = body.length + fields.reduce((sum, field) => sum + Buffer.byteLength(field) + 2, 0)
  t.ok(bytes < maxMessageBytes, `${bytes} bytes`)
  t.match(fields, ['Nats-Msg-Id'])
  const dropped = Number(fields[fields.indexOf('Millrace-Headers-Dropped') + 1])
  t.equal(fields.filter(field => field.startsWith('X-')).length + dropped, 900, 'what is left out is counted')
})

test('headers that cannot be read do not keep a dead letter from its way', async t => {
  const effects = open()
  const origin = {
    subject: 'events.3.web.visit',
    data: Buffer.from('original'),
    get headers(): never {
      throw new Error('not a valid character for a header key')
    },
  }
  const event = new Event(142, 'web', 'visit', 1_000, origin, {}, 'ada', undefined, 1_000)
  effects.deadLetter({ event, stage: 'a', reason: 'b', detail: '' })
  const [entry] = effects.take().entries
  t.equal(headersOf(entry!)['Millrace-Headers-Dropped'], 'all')
  t.strictSame(Buffer.from(entry!.body), Buffer.from('original'))
})

test('what a definition emits is bounded', async t => {
  const effects = open()
  t.throws(() => effects.trigger('a', 1, { text: 'x'.repeat(300_000) }), /emits \d+ bytes, the cap is/)
  const small = open({ maxMessageBytes: 64_000 })
  small.trigger('a', 1, { text: 'x'.repeat(50_000) })
  t.throws(() => small.trigger('a', 1, { text: 'x'.repeat(60_000) }), /the cap is 59904$/, 'by what the server takes')
})

test('the size of what is collected is known, and starts anew', async t => {
  const effects = open()
  effects.deadLetter({ event: eventOf({ data: Buffer.alloc(500) }), stage: 'a', reason: 'b', detail: '' })
  effects.deadLetter({ event: eventOf({ data: Buffer.alloc(700) }), stage: 'a', reason: 'b', detail: 'c'.repeat(300) })
  const size = effects.bytes
  const { entries } = effects.take()
  t.equal(size, sizeOf(entries[0]!) + sizeOf(entries[1]!))
  t.equal(sizeOf(entries[1]!), sizeOf(entries[0]!) + 200 + 300, 'bodies count, and headers')
  t.equal(effects.bytes, 0)
})

test('a dead letter that waits keeps nothing alive but its own bytes', async t => {
  const effects = open()
  const chunk = Buffer.allocUnsafeSlow(65_536)
  const event = eventOf({ data: chunk.subarray(100, 108) })
  effects.deadLetter({ event, stage: 'a', reason: 'b', detail: '' })
  const [entry] = effects.take().entries
  t.equal(entry!.body.length, 8)
  t.not(entry!.body.buffer, chunk.buffer)
})
