/** The stages of the personalization workload in front of a profile with as many traits as one asks for. */
import { events, pipeline, type Pipeline, type Trait } from 'millrace'
import { personalization } from '../personalization/pipeline.js'

interface ShopEvents {
  signed_up: { email: string; plan: 'free' | 'pro'; country: string }
  session_started: { device: 'phone' | 'desktop' | 'tablet'; occurredAt: number }
  product_viewed: { productId: string; category?: string; price?: number }
  cart_updated: { cartId: string; value: number; items: number }
  checkout_completed: { orderId: string; total: number }
}

const { profile, count, distinct, first, last, max, mean, recent, sum, top } = events<ShopEvents>()

/** What the triggers need. */
const always = {
  spend: sum('checkout_completed', e => e.total),
  views: count('product_viewed'),
}

/** Every kind there is, over the events that there are, again and again with another window. */
const kinds: readonly ((hours: number) => Trait)[] = [
  hours => count('session_started').within(`${hours}h`),
  hours => count('product_viewed').within(`${hours}h`),
  hours => sum('checkout_completed', e => e.total).within(`${hours}h`),
  () => last('session_started', e => e.device),
  () => top(3, 'product_viewed', e => e.category),
  hours => max('cart_updated', e => e.value).within(`${hours}h`),
  () => recent(5, 'product_viewed', e => e.productId),
  () => distinct('product_viewed', e => e.category),
  () => first('signed_up', e => e.plan),
  hours => mean('product_viewed', e => e.price).within(`${hours}h`),
]

/** At least two. */
export function shopWithTraits(traits: number): Pipeline {
  const more = Array.from({ length: traits - Object.keys(always).length }, (_, index) => {
    const hours = 1 + Math.floor(index / kinds.length)
    return [`trait${index}`, kinds[index % kinds.length]!(hours)] as const
  })
  const shopper = profile('shopper', { traits: { ...Object.fromEntries(more), ...always } })
  shopper.segment('vip', p => p.spend >= 1000)
  shopper.trigger('welcome', { on: 'signed_up', emit: (_, e) => ({ plan: e.plan }) })
  shopper.trigger('big_spender', { when: p => p.spend >= 500, emit: p => ({ spend: p.spend }) })
  shopper.trigger('browse_intent', { on: 'product_viewed', when: p => p.views >= 5, emit: p => ({ views: p.views }) })
  return pipeline({ ...personalization, profile: shopper })
}
