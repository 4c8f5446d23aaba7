import t from 'tap'
import { addressOf, parseHeader, type Addressing } from '../../../../engine/cli/event-address.js'

const addressing: Addressing = {
  root: 'events',
  source: 'web',
  type: { fixed: 'viewed' },
  keyPath: 'user.id',
  idPath: undefined,
  headers: [],
}

t.test('the subject is root, source, type and key', async t => {
  t.strictSame(addressOf({ user: { id: 'ada' } }, addressing), {
    subject: 'events.web.viewed.ada',
    id: undefined,
    fields: [],
  })
})

t.test('a key that a subject cannot hold is percent-encoded, a number is written out', async t => {
  t.match(addressOf({ user: { id: 'a.b c' } }, addressing), { subject: 'events.web.viewed.a%2Eb%20c' })
  t.match(addressOf({ user: { id: 7 } }, addressing), { subject: 'events.web.viewed.7' })
})

t.test('type and id may come from the event, headers from the command', async t => {
  const more: Addressing = { ...addressing, type: { path: 'what' }, idPath: 'ids.0', headers: ['X', 'y'] }
  t.strictSame(addressOf({ user: { id: 'ada' }, what: 'left', ids: ['e1'] }, more), {
    subject: 'events.web.left.ada',
    id: 'e1',
    fields: ['X', 'y', 'Nats-Msg-Id', 'e1'],
  })
})

t.test('an event without what the subject needs is a problem, said without its content', async t => {
  const more: Addressing = { ...addressing, type: { path: 'what' }, idPath: 'id' }
  const whole = { user: { id: 'ada' }, what: 'left', id: 'e1' }
  const problemOf = (changed: object) => addressOf({ ...whole, ...changed }, more)
  t.strictSame(addressOf(whole, more), { subject: 'events.web.left.ada', id: 'e1', fields: ['Nats-Msg-Id', 'e1'] })
  for (const user of [undefined, {}, { id: '' }, { id: null }, { id: {} }, { id: true }, 'ada']) {
    t.strictSame(problemOf({ user }), { problem: 'has no key at user.id' })
  }
  t.strictSame(problemOf({ what: undefined }), { problem: 'has no type at what' })
  for (const what of ['a.b', 'a b', '*', 'x'.repeat(129)]) {
    t.strictSame(problemOf({ what }), { problem: 'has a type that is not 1 to 128 letters, digits, "_" or "-"' })
  }
  t.match(problemOf({ what: 'x'.repeat(128) }), { id: 'e1' })
  t.strictSame(problemOf({ id: undefined }), { problem: 'has no id at id' })
  t.strictSame(problemOf({ id: 'a\r\nb' }), { problem: 'has an id with control characters' })
  t.strictSame(addressOf(null, addressing), { problem: 'has no key at user.id' })
  t.strictSame(addressOf({ user: [] }, { ...addressing, keyPath: 'user.constructor.name' }), {
    problem: 'has no key at user.constructor.name',
  })
})

t.test('a number that parsing may have rounded is a problem, said without it', async t => {
  const more: Addressing = { ...addressing, idPath: 'id' }
  const largest = 2 ** 53 - 1
  t.match(addressOf({ user: { id: largest }, id: -largest }, more), {
    subject: 'events.web.viewed.9007199254740991',
    id: '-9007199254740991',
  })
  const number: unknown = JSON.parse('9007199254740993')
  t.strictSame(addressOf({ user: { id: number }, id: 'e1' }, more), {
    problem: 'has a number beyond 2^53 as key at user.id; it must be text',
  })
  t.strictSame(addressOf({ user: { id: 'ada' }, id: number }, more), {
    problem: 'has a number beyond 2^53 as id at id; it must be text',
  })
})

t.test('a header is a name and a value', async t => {
  t.strictSame(parseHeader('X-Trace: a: b'), ['X-Trace', 'a: b'])
  t.strictSame(parseHeader('Empty:'), ['Empty', ''])
  for (const wrong of ['no value', 'two words: x', ': x', 'a: b\r\nc: d']) t.equal(parseHeader(wrong), undefined, wrong)
})
