import t from 'tap'
import { Problems } from '../../../engine/index.js'
import { envelope, verifyEnvelope } from '../../../operators/envelope.js'
import { eventOf, received, receivedAt, told } from './stage.js'

const paths = { key: 'key', id: 'id', occurredAt: 'occurredAt' }
const toEvent = envelope(paths)
const decode = (value: unknown) => toEvent(received(''), value)

t.test('key, id and time come out of the value, the rest stays the broker’s', t => {
  const value = { key: 'ada', id: 'e1', occurredAt: 1_699_999_999_000 }
  const event = eventOf(decode(value))
  t.equal(event.value, value)
  t.equal(event.key, 'ada')
  t.equal(event.id, 'e1')
  t.equal(event.occurredAt, 1_699_999_999_000)
  t.match(event, { seq: 7, source: 'shop', type: 'order', receivedAt })
  t.end()
})

t.test('paths may lead into the value', t => {
  const read = envelope({ key: 'user.id', id: 'meta.id', occurredAt: 'meta.at' })
  const event = eventOf(read(received(''), { user: { id: 'ada' }, meta: { id: 'e1', at: '2023-11-14T22:13:20Z' } }))
  t.match(event, { key: 'ada', id: 'e1', occurredAt: 1_700_000_000_000 })
  t.end()
})

t.test('a number or a BigInt is a key and an id too', t => {
  t.match(eventOf(decode({ key: 42, id: 7 })), { key: '42', id: '7' })
  t.match(eventOf(decode({ key: 9007199254740993n, id: 0 })), { key: '9007199254740993', id: '0' })
  t.equal(eventOf(decode({ key: 0 })).key, '0')
  t.end()
})

t.test('an event without a usable key is rejected', t => {
  for (const key of [undefined, null, '', true, {}, ['ada'], NaN, Infinity]) {
    t.match(decode({ key }), { reason: 'key_missing', detail: 'no text or number at key' }, String(key))
  }
  for (const value of [null, 'ada', 1, []]) t.equal(told(decode(value)), 'reject:key_missing')
  t.end()
})

t.test('a number that parsing may have rounded is no key and no id, which is said without it', t => {
  const largest = 2 ** 53 - 1
  for (const number of [largest, -largest, 1.5]) {
    t.match(eventOf(decode({ key: number, id: number })), { key: String(number), id: String(number) })
  }
  for (const number of [JSON.parse('9007199254740993'), -(2 ** 53), 1e300]) {
    const detail = (path: string) => `the number at ${path} is beyond 2^53 and must be text`
    t.match(decode({ key: number }), { reason: 'key_missing', detail: detail('key') })
    t.match(decode({ key: 'ada', id: number }), { reason: 'id_invalid', detail: detail('id') })
  }
  t.end()
})

t.test('text with a lone surrogate is no key and no id: in UTF-8 it would be the same as any other', t => {
  t.match(eventOf(decode({ key: '\ud83d\ude00', id: '\ufffd' })), { key: '😀', id: '\ufffd' })
  for (const text of ['\ud800', 'a\udfffb', '\ude00\ud83d', '😀\ud83d']) {
    const detail = (path: string) => `the text at ${path} has a lone surrogate`
    t.match(decode({ key: text }), { reason: 'key_missing', detail: detail('key') })
    t.match(decode({ key: 'ada', id: text }), { reason: 'id_invalid', detail: detail('id') })
  }
  t.end()
})

t.test('a key has at most 1,024 characters', t => {
  const longest = 'x'.repeat(1024)
  t.equal(eventOf(decode({ key: longest })).key, longest)
  const detail = 'the text at key is longer than 1024 characters'
  t.match(decode({ key: `${longest}x` }), { reason: 'key_missing', detail })
  t.end()
})

t.test('an event may have no id, but not one that is no name', t => {
  for (const id of [undefined, null, '']) t.equal(eventOf(decode({ key: 'ada', id })).id, undefined)
  for (const id of [true, {}, [], NaN]) t.equal(told(decode({ key: 'ada', id })), 'reject:id_invalid')
  t.end()
})

t.test('without a time of its own an event happened when the broker received it', t => {
  for (const occurredAt of [undefined, null])
    t.equal(eventOf(decode({ key: 'ada', occurredAt })).occurredAt, receivedAt)
  t.end()
})

t.test('a time is whole epoch milliseconds or ISO text with a zone', t => {
  const times: [unknown, number][] = [
    [0, 0],
    [-1, -1],
    [1_700_000_000_000.9, 1_700_000_000_000],
    [1_700_000_000_000n, 1_700_000_000_000],
    [8.64e15, 8.64e15],
    ['2023-11-14T22:13:20Z', 1_700_000_000_000],
    ['2023-11-14T22:13:20.123456Z', 1_700_000_000_123],
    ['2023-11-14T23:13:20+01:00', 1_700_000_000_000],
    ['2023-11-14T22:13Z', 1_699_999_980_000],
  ]
  for (const [occurredAt, expected] of times) {
    t.equal(eventOf(decode({ key: 'ada', occurredAt })).occurredAt, expected, String(occurredAt))
  }
  t.end()
})

t.test('a time that depends on where the process runs, or is none, is rejected', t => {
  const noTimes = ['2023-11-14T22:13:20', '2023-11-14', 'Tue Nov 14 2023', '', '1700000000000', '2023-13-14T00:00:00Z']
  for (const occurredAt of [...noTimes, NaN, Infinity, 8.64e15 + 2, true, {}]) {
    t.equal(told(decode({ key: 'ada', occurredAt })), 'reject:time_invalid', String(occurredAt))
  }
  t.end()
})

t.test('paths that lead nowhere are said, all of them', t => {
  const problems = new Problems()
  verifyEnvelope({ key: '.', id: 'id', occurredAt: 'a.' }, problems)
  t.equal(problems.list.length, 2)
  t.end()
})
