/** What people do in the shop: visits of several steps each, many of them at the same time. */
import { type Random, skewedRank } from './random.js'

/** What happened, without when; the fields that every event has are added by the generator. */
export interface Step {
  readonly type: 'signed_up' | 'session_started' | 'product_viewed' | 'cart_updated' | 'checkout_completed'
  readonly userId: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Visits that go on at once: about as many steps of others lie between two steps of one person. */
const concurrentVisits = 200
const products = 500

/** Steps without end, in the order in which they happen. */
export function* visits(random: Random, users: number): Generator<Step, never> {
  const known = new Uint8Array(users)
  let visitCount = 0
  const nextVisit = () => {
    const user = skewedRank(random, users, 100)
    const isFirst = known[user] === 0
    known[user] = 1
    return visit(random, `u${String(user + 1).padStart(6, '0')}`, isFirst, ++visitCount)[Symbol.iterator]()
  }
  const open = Array.from({ length: concurrentVisits }, nextVisit)
  for (;;) {
    const place = random.whole(0, open.length - 1)
    const step = open[place]!.next()
    if (step.done === true) open[place] = nextVisit()
    else yield step.value
  }
}

function visit(random: Random, userId: string, isFirst: boolean, number: number): Step[] {
  const steps: Step[] = []
  const add = (type: Step['type'], fields: Step['fields']) => steps.push({ type, userId, fields })
  // The others had an account before this stream began.
  if (isFirst && random.chance(0.5)) {
    const plan = random.chance(0.2) ? 'pro' : 'free'
    add('signed_up', { email: `${userId}@example.com`, plan, country: random.pick(countries) })
  }
  add('session_started', { device: random.pick(['phone', 'phone', 'desktop', 'tablet']) })
  for (let views = random.whole(1, 7); views > 0; views--) add('product_viewed', { productId: product(random) })
  if (!random.chance(0.3)) return steps
  const cartId = `c${number}`
  const items = random.whole(1, 3)
  let cents = 0
  for (let item = 1; item <= items; item++) {
    cents += random.whole(500, 25_000)
    add('cart_updated', { cartId, value: cents / 100, items: item })
  }
  if (random.chance(0.6)) add('checkout_completed', { cartId, orderId: `o${number}`, total: cents / 100 })
  return steps
}

const countries = ['DE', 'FR', 'GB', 'IN', 'JP', 'NG', 'US', 'BR']

/** One in a hundred is not in the catalogue. */
function product(random: Random): string {
  if (random.chance(0.01)) return `x${random.whole(1, 99)}`
  return `p${String(skewedRank(random, products, 20) + 1).padStart(3, '0')}`
}
