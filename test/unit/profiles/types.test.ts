/** Mistakes that must not compile. Each `@ts-expect-error` fails the build when its line compiles. */
import t from 'tap'
import { events, type Trait } from '../../../profiles/index.js'

interface Events {
  viewed: { productId: string; price?: number }
  paid: { total: number; coupon: string | null }
}

const { profile, count, sum, last, top, recent, distinct } = events<Events>()

t.test('event types, fields and trait names are checked by the compiler', async t => {
  // @ts-expect-error no such event
  count('vewed')
  // @ts-expect-error no such event in a list
  count(['viewed', 'pad'])
  // @ts-expect-error no such field
  sum('paid', e => e.totl)
  // @ts-expect-error not a number
  sum('viewed', e => e.productId)
  // @ts-expect-error a field that only one of the two has
  sum(['viewed', 'paid'], e => e.total)
  // @ts-expect-error not a single value
  distinct('viewed', e => [e.productId])
  // @ts-expect-error no such field
  count('paid').where(e => e.price === 1)

  const optional: Trait<string | undefined> = last('paid', e => e.coupon)
  const listed: Trait<readonly string[]> = recent(3, 'viewed', e => e.productId)
  const total: Trait<number> = sum('viewed', e => e.price)
  const ranked: Trait<readonly { readonly value: number; readonly count: number }[]> = top(3, 'viewed', e => e.price)
  t.ok(optional && listed && total && ranked)

  const shop = profile('shop', {
    traits: { views: count('viewed').within('10m').pii(), coupon: last('paid', e => e.coupon) },
  })
  // @ts-expect-error no such trait
  shop.segment('a', p => p.vews > 1)
  // @ts-expect-error may be undefined
  shop.segment('b', p => p.coupon.length > 1)
  // @ts-expect-error not a condition
  shop.segment('c', p => p.views)
  // @ts-expect-error no such event
  shop.trigger('d', { on: 'vewed' })
  // @ts-expect-error no such field in the event
  shop.trigger('e', { on: 'viewed', emit: (_, e) => ({ total: e.total }) })
  // @ts-expect-error no such trait
  shop.trigger('f', { when: p => p.view > 1 })
  // @ts-expect-error without `on` there is no event
  shop.trigger('g', { when: p => p.views > 1, emit: (_, e) => ({ id: e.productId }) })
  // @ts-expect-error a field that `unless` events do not have
  shop.trigger('h', { on: 'viewed', after: '1h', unless: 'paid', by: e => e.productId })
  // @ts-expect-error not plain data
  shop.trigger('i', { on: 'viewed', emit: () => ({ at: new Date() }) })
  // @ts-expect-error no such option
  shop.trigger('j', { on: 'viewed', wen: () => true })
  shop.trigger('k', { on: ['viewed', 'paid'], when: (p, e) => p.views > 1 && 'total' in e, emit: p => ({ ...p }) })
})
