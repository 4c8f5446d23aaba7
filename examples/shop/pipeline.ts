/** A small shop: who browses, who buys, who leaves a full cart behind. The demo runs it. */
import { decodeAvro, dedupe, enrichTable, events, pipeline, validate, type Event } from 'millrace'

/** What every event has. */
interface ShopEvent {
  id: string
  userId: string
  occurredAt: number
}

export interface ShopEvents {
  signed_up: ShopEvent & { email: string; plan: 'free' | 'pro'; country: string }
  session_started: ShopEvent & { device: 'phone' | 'desktop' | 'tablet' }
  /** `category` and `price` come from the catalogue; a product that is not in it has none. */
  product_viewed: ShopEvent & { productId: string; category?: string; price?: number }
  cart_updated: ShopEvent & { cartId: string; value: number; items: number }
  checkout_completed: ShopEvent & { cartId: string; orderId: string; total: number }
}

const { profile, count, distinct, last, recent, sum, top } = events<ShopEvents>()

const shopper = profile('shopper', {
  ttl: '180d',
  traits: {
    email: last('signed_up', e => e.email).pii(),
    plan: last('signed_up', e => e.plan),
    sessions: count('session_started'),
    lastSeen: last('session_started', e => e.occurredAt),
    views: count('product_viewed'),
    viewsRecent: count('product_viewed').within('2s'),
    products: distinct('product_viewed', e => e.productId),
    recentProducts: recent(5, 'product_viewed', e => e.productId),
    topCategories: top(3, 'product_viewed', e => e.category),
    cart: last('cart_updated', e => e.value),
    orders: count('checkout_completed'),
    spend: sum('checkout_completed', e => e.total),
    spendRecent: sum('checkout_completed', e => e.total).within('1h'),
  },
})

shopper.segment('vip', p => p.spend >= 1000)
shopper.segment('browsing', p => p.viewsRecent >= 3)

shopper.trigger('welcome', { on: 'signed_up', emit: (_, e) => ({ plan: e.plan, country: e.country }) })

shopper.trigger('big_spender', { when: p => p.spend >= 500, emit: p => ({ spend: p.spend, orders: p.orders }) })

shopper.trigger('cart_abandoned', {
  on: 'cart_updated',
  by: e => e.cartId,
  after: '1s',
  unless: 'checkout_completed',
  when: p => (p.cart ?? 0) >= 75,
  cap: '3/7d',
  emit: (p, e) => ({ cart: e.cartId, value: p.cart }),
})

shopper.trigger('browse_intent', {
  on: 'product_viewed',
  when: p => p.viewsRecent >= 5,
  cooldown: '10s',
  emit: p => ({ categories: p.topCategories.map(({ value }) => value) }),
})

type Valued = Event<{ total?: number; value?: number }>

export default pipeline({
  name: 'shop',
  stages: [
    decodeAvro({ schemas: './schemas', id: 'id', key: 'userId', occurredAt: 'occurredAt' }),
    validate({
      rules: {
        total_not_negative: (event: Valued) => (event.value.total ?? 0) >= 0,
        value_not_negative: (event: Valued) => (event.value.value ?? 0) >= 0,
      },
    }),
    dedupe({ window: '1h' }),
    enrichTable({
      file: './catalogue.csv',
      key: 'productId',
      by: 'productId',
      numbers: ['price'],
      types: ['product_viewed'],
    }),
  ],
  profile: shopper,
})
