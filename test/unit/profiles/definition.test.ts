import t from 'tap'
import { events, type Trait } from '../../../profiles/index.js'
import { Life } from './life.js'

interface Events {
  view: { id: string; price: number }
  pay: { total: number }
}

const { profile, count, sum, last, top, recent, since } = events<Events>()

/** What somebody without a compiler could write. */
const loosely = (value: unknown) => value as never

t.test('a sound definition has no problems', async t => {
  const shop = profile('shop', { ttl: '180d', maxBytes: '8KB', traits: { views: count('view').within('10m') } })
  shop.segment('keen', p => p.views > 3).trigger('seen', { on: 'view', cap: '3/7d', cooldown: '1h' })
  t.strictSame(shop.problems, [])
})

t.test('every problem is said, with its place', async t => {
  const shop = profile('Shop', {
    ttl: 'long',
    maxBytes: '1XB',
    traits: {
      'spend-30d': sum('pay', e => e.total),
      spend30d: sum('pay', e => e.total).within('soon'),
      zero: count('view').within('0s'),
      tops: top(0, 'view', e => e.id),
      recents: recent(1.5, 'view', e => e.id),
      idle: since('view', { per: 'often' }),
      unselected: last('view', loosely(undefined)),
      waiting: last(
        'view',
        loosely(async () => 'x'),
      ),
      nothing: count([]),
      subject: count(loosely('a.b')),
      filtered: count('view').where(loosely('yes')),
      number: loosely(5),
    },
  })
  shop.segment('keen', () => true)
  shop.segment('keen', loosely('x'))
  shop.segment('', () => true)
  shop.trigger('empty', {})
  shop.trigger('timeless', { when: () => true, every: true, after: '1h' })
  shop.trigger('pointless', { on: 'view', unless: 'pay', by: () => 'x' })
  shop.trigger('both', { on: 'view', after: '1h', every: true })
  shop.trigger('malformed', { on: loosely(5), after: 'later', cap: '3', cooldown: '', emit: loosely({}) })
  shop.trigger('capped', { on: 'view', cap: '101/7d' })
  shop.trigger('capped', loosely({ on: 'view', wen: () => true, every: 'yes' }))
  t.strictSame(shop.problems, [
    'name must have a name of at most 64 letters, digits or "_" that starts with a small letter, got "Shop"',
    'ttl must be a duration such as "10m", got "long"',
    'maxBytes must be a size such as "64KB", got "1XB"',
    'traits.spend-30d must have a name of at most 64 letters, digits or "_" that starts with a small letter, got "spend-30d"',
    'traits.spend30d.within must be a duration such as "10m", got "soon"',
    'traits.zero.within must be a duration such as "10m", got "0s"',
    'traits.tops must list a whole number of values from 1 to 100, got 0',
    'traits.recents must list a whole number of values from 1 to 100, got 1.5',
    'traits.idle needs a duration such as { per: "1h" }, got "often"',
    'traits.unselected must be a function, got nothing',
    'traits.waiting must not be async',
    'traits.nothing must name an event type',
    'traits.subject must name event types, got "a.b"',
    'traits.filtered.where must be a function, got "yes"',
    'traits.number must be a trait such as count("signed_up"), got 5',
    'segments.keen is defined twice',
    'segments.keen must be a function, got "x"',
    'segments[2] must have a name of at most 64 letters, digits or "_" that starts with a small letter, got ""',
    'triggers.empty must have `on`, `when` or both',
    'triggers.timeless.every needs `on`',
    'triggers.timeless.after needs `on`',
    'triggers.timeless.every has no meaning with `after`',
    'triggers.pointless.unless needs `after`',
    'triggers.pointless.by needs `after`',
    'triggers.both.every has no meaning with `after`',
    'triggers.malformed.on must name event types, got 5',
    'triggers.malformed.after must be a duration such as "10m", got "later"',
    'triggers.malformed.emit must be a function, got {}',
    'triggers.malformed.cap must be a number up to 100 and a duration such as "3/7d", got "3"',
    'triggers.malformed.cooldown must be a duration such as "10m", got ""',
    'triggers.capped.cap must be a number up to 100 and a duration such as "3/7d", got "101/7d"',
    'triggers.capped is defined twice',
    'triggers.capped.wen is not an option; known are after, by, cap, cooldown, emit, every, on, unless, when',
    'triggers.capped.every must be true or false, got "yes"',
  ])
  t.throws(() => shop.model(), { code: 'pipeline_invalid', lines: shop.problems })
})

t.test('a wait must end before the profile can expire', async t => {
  const shop = (after: string) =>
    profile('shop', { ttl: '1d', traits: {} }).trigger('gone', { on: 'view', after }).problems
  t.strictSame(shop('23h'), [])
  t.strictSame(shop('24h'), ['triggers.gone.after must be shorter than the profile\'s ttl, got "24h"'])
})

t.test('a cap and a cooldown must not reach further back than the profile does', async t => {
  const shop = (ttl: string | undefined, cap: string, cooldown: string) =>
    profile('shop', { ...(ttl === undefined ? {} : { ttl }), traits: {} }).trigger('seen', {
      on: 'view',
      cap,
      cooldown,
    }).problems
  t.strictSame(shop('7d', '3/7d', '168h'), [])
  t.strictSame(shop(undefined, '3/7d', '168h'), [])
  t.strictSame(shop('6d', '3/7d', '145h'), [
    'triggers.seen.cap must not be longer than the profile\'s ttl, got "3/7d"',
    'triggers.seen.cooldown must not be longer than the profile\'s ttl, got "145h"',
  ])
})

t.test('what comes after a pipeline has taken the definition is refused', async t => {
  const shop = profile('shop', { traits: { views: count('view') } })
  t.ok(shop.fingerprint)
  t.throws(() => shop.segment('keen', p => p.views > 3), { code: 'pipeline_invalid' })
  t.throws(() => shop.trigger('seen', { on: 'view' }), { code: 'pipeline_invalid' })
})

t.test('whatever decides results is in the fingerprint', async t => {
  const base = () => ({
    ttl: '1d',
    views: count('view') as Trait<number>,
    test: (p: { views: number }) => p.views > 3,
    cap: '1/1d',
  })
  const fingerprint = (given: Partial<ReturnType<typeof base>>) => {
    const { ttl, views, test, cap } = { ...base(), ...given }
    return profile('shop', { ttl, traits: { views } }).segment('keen', test).trigger('seen', { on: 'view', cap })
      .fingerprint
  }
  t.equal(fingerprint({}), fingerprint({}))
  const changed = [
    fingerprint({ ttl: '2d' }),
    fingerprint({ views: count('pay') }),
    fingerprint({ views: count('view').within('1h') }),
    fingerprint({ views: count('view').where(e => e.price > 1) }),
    fingerprint({ test: p => p.views > 4 }),
    fingerprint({ cap: '2/1d' }),
  ]
  t.equal(new Set([...changed, fingerprint({})]).size, changed.length + 1)
})

t.test('an event selects by type, by `where`, and by having something to say', async t => {
  const life = new Life(
    profile('shop', {
      traits: {
        dear: count('view').where(e => e.price >= 100),
        price: last('view', e => (e.price > 0 ? e.price : undefined)),
        all: count(['view', 'pay']),
        types: top(5, ['view', 'pay'], (_, event) => event.type),
      },
    }),
  )
  life.event(1, 'view', { id: 'a', price: 100 })
  life.event(2, 'view', { id: 'a', price: 0 })
  life.event(3, 'pay', { total: 1 })
  life.event(4, 'other', {})
  t.strictSame(life.traits(5), {
    dear: 1,
    price: 100,
    all: 3,
    types: [
      { value: 'view', count: 2 },
      { value: 'pay', count: 1 },
    ],
  })
  t.strictSame(life.model.view(life.state, 5).changedAt, { dear: 1, price: 1, all: 3, types: 3 })
  t.equal(life.state.storedBytes, 0)
})

t.test('a value that a trait cannot take names the trait and the kind of value, not the value', async t => {
  const shop = profile('shop', {
    traits: {
      total: sum('pay', e => e.total),
      ids: top(3, 'view', e => e.id),
      price: last('view', e => e.price),
    },
  })
  const fold = (type: string, value: unknown) => () => new Life(shop).event(1, type, value)
  t.throws(fold('pay', { total: '5' }), { message: 'trait total takes a finite number within 2^53, got text' })
  t.throws(fold('pay', { total: NaN }), { message: 'trait total takes a finite number within 2^53, got NaN' })
  t.throws(fold('pay', { total: 2 ** 54 }), { message: 'trait total takes a finite number within 2^53, got a number' })
  t.throws(fold('view', { id: {} }), {
    message: 'trait ids takes text, a finite number, true or false, got an object',
  })
  t.throws(fold('view', { price: Infinity }), {
    message: 'trait price takes text, a finite number or other plain data, got Infinity',
  })
  t.throws(fold('view', { price: () => 1 }), { message: 'trait price cannot be kept in a profile: a function' })
})

t.test('traits with personal data are named by the model', async t => {
  const shop = profile('shop', { traits: { id: last('view', e => e.id).pii(), price: last('view', e => e.price) } })
  const life = new Life(shop)
  life.event(1, 'view', { id: 'x', price: 1 })
  t.strictSame(shop.model().personalTraits, ['id'])
  t.strictSame(life.traits(1), { id: 'x', price: 1 }, 'and shown to who asks for the profile')
})
