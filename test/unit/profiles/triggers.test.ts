import t from 'tap'
import { events } from '../../../profiles/index.js'
import { Life } from './life.js'

interface Events {
  cart: { id: string; value: number }
  bought: { id: string }
  left: object
}

const { profile, last, count, since } = events<Events>()

const shop = () =>
  profile('shop', {
    traits: {
      cart: last('cart', e => e.value),
      carts: count('cart'),
      lately: count('cart').within('600ms'),
      idle: since('cart', { per: '1s' }),
    },
  })

t.test('without a condition it fires at each event', async t => {
  const life = new Life(shop().trigger('seen', { on: 'cart', emit: (p, e) => ({ of: e.id, carts: p.carts }) }))
  life.event(10, 'cart', { id: 'x', value: 1 })
  life.event(11, 'bought', { id: 'x' })
  life.event(12, 'cart', { id: 'y', value: 1 })
  t.strictSame(life.take(), [
    [10, 'seen', { of: 'x', carts: 1 }],
    [12, 'seen', { of: 'y', carts: 2 }],
  ])
})

t.test('with a condition it fires when that begins to hold, as seen at its events', async t => {
  const life = new Life(shop().trigger('big', { on: 'cart', when: p => p.cart! >= 50 }))
  const values = [49, 50, 90, 10, 60]
  values.forEach((value, index) => life.event(index + 1, 'cart', { id: 'x', value }))
  t.strictSame(life.take(), [
    [2, 'big', {}],
    [5, 'big', {}],
  ])
})

t.test('with `every` it fires at each event at which the condition holds', async t => {
  const life = new Life(shop().trigger('big', { on: 'cart', when: (_, e) => e.value >= 50, every: true }))
  const values = [49, 50, 90, 10, 60]
  values.forEach((value, index) => life.event(index + 1, 'cart', { id: 'x', value }))
  t.strictSame(
    life.take().map(([at]) => at),
    [2, 3, 5],
  )
})

t.test('without events it fires when its condition begins to hold, by whatever event', async t => {
  const life = new Life(shop().trigger('third', { when: p => p.carts >= 3, emit: p => ({ carts: p.carts }) }))
  for (let now = 1; now <= 5; now++) life.event(now, 'cart', { id: 'x', value: 1 })
  t.strictSame(life.take(), [[3, 'third', { carts: 3 }]])
})

t.test('without events it fires by time alone, at the very moment', async t => {
  const life = new Life(shop().trigger('idle', { when: p => (p.idle ?? 0) >= 20, emit: p => ({ idle: p.idle }) }))
  life.event(5_000, 'cart', { id: 'x', value: 1 })
  life.until(24_999)
  t.strictSame(life.take(), [])
  life.until(1_000_000)
  t.strictSame(life.take(), [[25_000, 'idle', { idle: 20 }]])
})

t.test('what falls due before an event fires before it, and does not see it', async t => {
  const life = new Life(shop().trigger('idle', { when: p => (p.idle ?? 0) >= 2, emit: p => ({ carts: p.carts }) }))
  life.event(5_000, 'cart', { id: 'x', value: 1 })
  life.event(7_000, 'cart', { id: 'x', value: 1 })
  life.event(8_999, 'cart', { id: 'x', value: 1 })
  t.strictSame(life.take(), [[7_000, 'idle', { carts: 1 }]])
})

t.test('a cap counts what has fired within its window', async t => {
  const life = new Life(shop().trigger('seen', { on: 'cart', cap: '2/100ms' }))
  for (const now of [1000, 1050, 1099, 1100, 1149, 1150]) life.event(now, 'cart', { id: 'x', value: 1 })
  t.strictSame(life.take(), [
    [1000, 'seen', {}],
    [1050, 'seen', {}],
    [1099, 'seen', 'suppressed', 'cap'],
    [1100, 'seen', {}],
    [1149, 'seen', 'suppressed', 'cap'],
    [1150, 'seen', {}],
  ])
})

t.test('a cooldown counts from the last firing, not from what it held back', async t => {
  const life = new Life(shop().trigger('seen', { on: 'cart', cooldown: '100ms' }))
  for (const now of [1000, 1099, 1100, 1199, 1200]) life.event(now, 'cart', { id: 'x', value: 1 })
  t.strictSame(
    life.take().map(line => [line[0], line[3] ?? 'fired']),
    [
      [1000, 'fired'],
      [1099, 'cooldown'],
      [1100, 'fired'],
      [1199, 'cooldown'],
      [1200, 'fired'],
    ],
  )
})

t.test('a trigger that was held back does not fire later for the same edge', async t => {
  const life = new Life(shop().trigger('big', { on: 'cart', when: p => p.cart! >= 50, cooldown: '100ms' }))
  const carts: [number, number][] = [
    [1000, 50],
    [1010, 1],
    [1020, 50],
    [1200, 50],
    [1210, 1],
    [1220, 50],
  ]
  for (const [now, value] of carts) life.event(now, 'cart', { id: 'x', value })
  t.strictSame(life.take(), [
    [1000, 'big', {}],
    [1020, 'big', 'suppressed', 'cooldown'],
    [1220, 'big', {}],
  ])
})

const abandoned = () =>
  shop().trigger('abandoned', {
    on: 'cart',
    by: e => e.id,
    after: '1s',
    unless: 'bought',
    when: p => p.cart! >= 10,
    emit: (p, e) => ({ cart: e.id, value: e.value, last: p.cart }),
  })

t.test('a wait fires when it falls due, with the event that started it', async t => {
  const life = new Life(abandoned())
  life.event(1000, 'cart', { id: 'x', value: 20 })
  life.event(1500, 'cart', { id: 'y', value: 30 })
  t.equal(life.state.dueAt, 2000)
  life.reload().until(1999)
  t.strictSame(life.take(), [])
  life.until(5000)
  t.strictSame(life.take(), [
    [2000, 'abandoned', { cart: 'x', value: 20, last: 30 }],
    [2500, 'abandoned', { cart: 'y', value: 30, last: 30 }],
  ])
  t.equal(life.state.dueAt, Infinity)
})

t.test('a further event of the same key starts its wait anew', async t => {
  const life = new Life(abandoned())
  life.event(1000, 'cart', { id: 'x', value: 20 })
  life.event(1999, 'cart', { id: 'x', value: 21 })
  life.until(2998)
  t.strictSame(life.take(), [])
  life.until(2999)
  t.strictSame(life.take(), [[2999, 'abandoned', { cart: 'x', value: 21, last: 21 }]])
})

t.test('an `unless` event ends the wait of its key only', async t => {
  const life = new Life(abandoned())
  life.event(1000, 'cart', { id: 'x', value: 20 })
  life.event(1000, 'cart', { id: 'y', value: 20 })
  life.event(1999, 'bought', { id: 'x' })
  life.until(5000)
  t.strictSame(life.take(), [[2000, 'abandoned', { cart: 'y', value: 20, last: 20 }]])
})

t.test('an `unless` event at the moment a wait falls due comes too late', async t => {
  const life = new Life(abandoned())
  life.event(1000, 'cart', { id: 'x', value: 20 })
  life.event(2000, 'bought', { id: 'x' })
  t.strictSame(life.take(), [[2000, 'abandoned', { cart: 'x', value: 20, last: 20 }]])
})

t.test('without `by` there is one wait, and `unless` ends it', async t => {
  const life = new Life(shop().trigger('left_alone', { on: 'cart', after: '1s', unless: ['bought', 'left'] }))
  life.event(1000, 'cart', { id: 'x', value: 1 })
  life.event(1100, 'cart', { id: 'y', value: 1 })
  life.event(1200, 'left')
  life.until(5000)
  t.strictSame(life.take(), [])
  life.event(6000, 'cart', { id: 'x', value: 1 })
  life.event(6100, 'cart', { id: 'y', value: 1 })
  life.until(9000)
  t.strictSame(life.take(), [[7100, 'left_alone', {}]])
})

t.test('a wait whose condition does not hold when it falls due is over', async t => {
  const life = new Life(abandoned())
  life.event(1000, 'cart', { id: 'x', value: 20 })
  life.event(1500, 'cart', { id: 'y', value: 9 })
  life.until(9000)
  t.strictSame(life.take(), [])
})

t.test('the 17th wait gives up the oldest', async t => {
  const life = new Life(abandoned())
  for (let i = 0; i < 17; i++) life.event(1000 + i, 'cart', { id: `c${i}`, value: 20 })
  t.strictSame(life.take(), [[1016, 'abandoned', 'suppressed', 'too_many_waits']])
  life.until(9000)
  t.strictSame(
    life.take().map(line => (line[2] as { cart: string }).cart),
    Array.from({ length: 16 }, (_, i) => `c${i + 1}`),
  )
})

t.test('waits of one moment fire in the order of definition, then of their keys', async t => {
  const definition = abandoned().trigger('also', {
    on: 'cart',
    after: '1s',
    by: e => e.id,
    emit: (_, e) => ({ cart: e.id }),
  })
  const life = new Life(definition)
  for (const id of ['b', 'c', 'a']) life.event(1000, 'cart', { id, value: 20 })
  life.until(2000)
  t.strictSame(
    life.take().map(([, name, data]) => [name, (data as { cart: string }).cart]),
    [
      ['abandoned', 'a'],
      ['abandoned', 'b'],
      ['abandoned', 'c'],
      ['also', 'a'],
      ['also', 'b'],
      ['also', 'c'],
    ],
  )
})

t.test('an error at an event is thrown, one by time alone is published as suppressed', async t => {
  const fail = () => {
    throw new Error('no')
  }
  const atEvent = new Life(shop().trigger('bad', { on: 'cart', emit: fail }))
  t.throws(() => atEvent.event(1, 'cart', { id: 'x', value: 1 }), { message: 'no' })
  const byTime = new Life(shop().trigger('bad', { on: 'cart', after: '1s', emit: fail }))
  byTime.event(1000, 'cart', { id: 'x', value: 1 })
  byTime.until(3000)
  t.strictSame(byTime.take(), [[2000, 'bad', 'suppressed', 'error']])
})

t.test('a condition that throws when time has passed is told by its trigger and counted for its segment', async t => {
  const fragile = shop()
  const test = (p: { lately: number }): boolean => {
    if (p.lately === 0) throw new Error('no')
    return true
  }
  fragile.segment('lively', test)
  fragile.trigger('awake', { when: test })
  const life = new Life(fragile)
  life.event(1_000, 'cart', { id: 'x', value: 1 })
  t.strictSame(life.take(), [
    [1_000, 'lively', 'entered'],
    [1_000, 'awake', {}],
  ])
  life.until(1_600)
  t.strictSame(life.take(), [
    ['failed', 'lively'],
    [1_600, 'awake', 'suppressed', 'error'],
  ])
})

t.test('what is emitted must be plain JSON data', async t => {
  const life = new Life(shop().trigger('bad', { on: 'cart', emit: (_, e) => ({ half: e.value / 0 }) }))
  t.throws(() => life.event(1, 'cart', { id: 'x', value: 1 }), {
    message: 'what trigger bad emits must be plain JSON data, got Infinity',
  })
})
