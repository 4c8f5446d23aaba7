/** The shop at scale: who a person is, what they look at and buy, and the five moments to write to them. */
import { decodeAvro, dedupe, enrichTable, events, pipeline, validate, type Event, type PipelineOptions } from 'millrace'
import type { ShopEvents } from '../../../examples/shop/pipeline.js'

const { profile, count, last, sum, top } = events<ShopEvents>()

const shopper = profile('shopper', {
  traits: {
    email: last('signed_up', e => e.email).pii(),
    plan: last('signed_up', e => e.plan),
    sessions: count('session_started'),
    views: count('product_viewed'),
    viewsRecent: count('product_viewed').within('1h'),
    topCategories: top(3, 'product_viewed', e => e.category),
    cart: last('cart_updated', e => e.value),
    orders: count('checkout_completed'),
    spend: sum('checkout_completed', e => e.total),
    lastSeen: last('session_started', e => e.occurredAt),
  },
})

shopper.segment('vip', p => p.spend >= 1000)
shopper.segment('browsing', p => p.viewsRecent >= 3)
shopper.segment('customer', p => p.orders >= 1)

shopper.trigger('welcome', { on: 'signed_up', emit: (_, e) => ({ plan: e.plan, country: e.country }) })

shopper.trigger('first_order', { when: p => p.orders >= 1, emit: p => ({ spend: p.spend }) })

shopper.trigger('big_spender', { when: p => p.spend >= 500, emit: p => ({ spend: p.spend, orders: p.orders }) })

shopper.trigger('cart_abandoned', {
  on: 'cart_updated',
  by: e => e.cartId,
  after: '1s',
  unless: 'checkout_completed',
  emit: (p, e) => ({ cart: e.cartId, value: p.cart }),
})

shopper.trigger('browse_intent', {
  on: 'product_viewed',
  when: p => p.viewsRecent >= 5,
  every: true,
  cooldown: '10s',
  emit: p => ({ categories: p.topCategories.map(({ value }) => value) }),
})

type Valued = Event<{ total?: number; value?: number }>

/** For those that vary it. */
export const personalization: PipelineOptions = {
  name: 'personalization',
  stages: [
    decodeAvro({
      schemas: '../../../examples/shop/schemas',
      id: 'id',
      key: 'userId',
      occurredAt: 'occurredAt',
    }),
    validate({
      rules: {
        total_not_negative: (event: Valued) => (event.value.total ?? 0) >= 0,
        value_not_negative: (event: Valued) => (event.value.value ?? 0) >= 0,
      },
    }),
    dedupe({ window: '1h' }),
    enrichTable({
      file: '../../../examples/shop/catalogue.csv',
      key: 'productId',
      by: 'productId',
      numbers: ['price'],
      types: ['product_viewed'],
    }),
  ],
  profile: shopper,
}

export default pipeline(personalization)
