/** The stages that run a function of the definition: filter, map, split. */
import t from 'tap'
import type { Event } from '../../../engine/index.js'
import { filter, map, split } from '../../../operators/index.js'
import { context, decoded, eventOf, receivedAt, start, told } from './stage.js'

interface Order {
  readonly total: number
}
const order = (total: number, type = 'order') => decoded({ total }, { type, id: 'e1' })

t.test('filter keeps what its function is true for', async t => {
  const stage = await start(filter({ keep: (event: Event<Order>) => event.value.total >= 10 }))
  const kept = order(10)
  t.equal(stage.process(kept, context), kept)
  t.equal(told(stage.process(order(9.99), context)), 'drop:filtered')
})

t.test('filter, map and split leave other types alone', async t => {
  const types = ['order']
  const other = order(1, 'refund')
  for (const definition of [
    filter({ keep: () => false, types }),
    map({ to: () => 'new', types }),
    split({ into: () => [], types }),
  ]) {
    const stage = await start(definition)
    t.equal(stage.process(other, context), other, definition.operator)
    t.not(stage.process(order(1), context), other, definition.operator)
  }
})

t.test('map replaces the value and nothing else', async t => {
  const stage = await start(map({ to: (event: Event<Order>) => ({ cents: event.value.total * 100 }) }))
  const event = eventOf(stage.process(order(2), context))
  t.same(event.value, { cents: 200 })
  t.match(event, { key: 'ada', id: 'e1', type: 'order', seq: 7, receivedAt })
})

t.test('map may give null, but a forgotten return throws', async t => {
  t.equal(eventOf((await start(map({ to: () => null }))).process(order(1), context)).value, null)
  const stage = await start(map({ to: () => undefined }))
  t.throws(
    () => stage.process(order(1), context),
    new TypeError('the function of map must return a value, got undefined'),
  )
})

t.test('split gives each part an event at the same position, with an id of its own', async t => {
  const stage = await start(split({ into: () => [{ value: 1 }, { value: 2, key: 'bob', type: 'line' }] }))
  const parts = stage.process(order(1), context) as Event[]
  t.match(parts, [
    { value: 1, key: 'ada', type: 'order', id: 'e1/0', seq: 7 },
    { value: 2, key: 'bob', type: 'line', id: 'e1/1', seq: 7 },
  ])
  const anonymous = stage.process(decoded({}), context) as Event[]
  t.same(
    anonymous.map(part => part.id),
    [undefined, undefined],
    'an event without an id has parts without',
  )
})

t.test('split into nothing drops the event, into more than maxParts rejects it', async t => {
  const parts = (count: number) => Array.from({ length: count }, (_, value) => ({ value }))
  const into = (event: Event<Order>) => parts(event.value.total)
  const stage = await start(split({ into, maxParts: 3 }))
  t.equal(told(stage.process(order(0), context)), 'drop:empty')
  t.equal((stage.process(order(3), context) as Event[]).length, 3)
  t.match(stage.process(order(4), context), { reason: 'too_many', detail: '4 parts, more than 3' })
  const standard = await start(split({ into }))
  t.equal((standard.process(order(1000), context) as Event[]).length, 1000)
  t.equal(told(standard.process(order(1001), context)), 'reject:too_many')
})

t.test('split rejects an event of which a part has a key that cannot be used', async t => {
  const stage = await start(split({ into: (event: Event<string[]>) => event.value.map(key => ({ value: 1, key })) }))
  t.match(stage.process(decoded(['\ud83d\ude00', '\ufffd']), context), [{ key: '😀' }, { key: '\ufffd' }])
  for (const key of ['\ud800', 'a\udfffb', '\ude00\ud83d', '😀\ud83d', 'x'.repeat(1_025)]) {
    t.match(stage.process(decoded(['ada', key]), context), {
      reason: 'key_missing',
      detail: 'the key of part 1 must have at most 1024 characters and no lone surrogate',
    })
  }
})

t.test('an async function is a problem: its promise would pass for a value, and for true', t => {
  t.same(filter({ keep: (async () => true) as never }).problems, ['keep must not be async'])
  t.same(map({ to: async () => 1 }).problems, ['to must not be async'])
  t.same(split({ into: (async () => []) as never }).problems, ['into must not be async'])
  t.end()
})

t.test('a missing function is a problem', t => {
  t.same(filter({} as never).problems, ['keep is required: function'])
  t.same(map({ to: 'x' as never }).problems, ['to must be a function, got "x"'])
  t.end()
})
