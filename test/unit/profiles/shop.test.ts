import t from 'tap'
import shop from '../../../examples/shop/pipeline.js'
import { Life } from './life.js'

t.test('the shop has no problems', async t => {
  t.strictSame(shop.problems, [])
})

t.test('a visitor of the shop becomes a profile with segments and triggers', async t => {
  const life = new Life(shop.profile)
  const start = 1_700_000_000_000
  const view = (after: number, productId: string, category?: string) =>
    life.event(start + after, 'product_viewed', { productId, category })
  life.event(start, 'signed_up', { email: 'ada@example.org', plan: 'pro', country: 'GB' })
  life.event(start + 5, 'session_started', { device: 'phone', occurredAt: start + 5 })
  view(100, 'p001', 'books')
  view(200, 'p002', 'books')
  view(300, 'p003', 'games')
  view(400, 'p001', 'books')
  view(500, 'p999')
  life.event(start + 600, 'cart_updated', { cartId: 'c1', value: 80, items: 2 })
  life.event(start + 700, 'cart_updated', { cartId: 'c2', value: 90, items: 1 })
  life.event(start + 800, 'checkout_completed', { cartId: 'c1', orderId: 'o1', total: 600.5 })
  life.event(start + 900, 'checkout_completed', { cartId: 'c3', orderId: 'o2', total: 400.25 })
  t.strictSame(life.take(), [
    [start, 'welcome', { plan: 'pro', country: 'GB' }],
    [start + 300, 'browsing', 'entered'],
    [start + 500, 'browse_intent', { categories: ['books', 'games'] }],
    [start + 800, 'big_spender', { spend: 600.5, orders: 1 }],
    [start + 900, 'vip', 'entered'],
  ])
  t.strictSame(life.traits(start + 900), {
    email: 'ada@example.org',
    plan: 'pro',
    sessions: 1,
    lastSeen: start + 5,
    views: 5,
    viewsRecent: 5,
    products: 4,
    recentProducts: ['p999', 'p001', 'p003', 'p002', 'p001'],
    topCategories: [
      { value: 'books', count: 3 },
      { value: 'games', count: 1 },
    ],
    cart: 90,
    orders: 2,
    spend: 1000.75,
    spendRecent: 1000.75,
  })
  life.until(start + 10_000)
  const [abandoned, exited] = life.take()
  t.strictSame(abandoned, [start + 1700, 'cart_abandoned', { cart: 'c2', value: 90 }])
  // Tiles of 34 ms, 59 to the window: fewer than three views are left when the tile of the third goes.
  const tile = Math.floor((start + 300) / 34)
  t.strictSame(exited, [(tile + 59) * 34, 'browsing', 'exited'])
})
