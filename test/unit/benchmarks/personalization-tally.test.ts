import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ShopTally } from '../../../benchmarks/workloads/personalization/tally.js'
import { personalization } from '../../../benchmarks/workloads/personalization/workload.js'
import type { Message } from '../../../benchmarks/workloads/workload.js'
import { encode, readSchemas } from '../../../examples/shop/avro.js'

const schemas = await readSchemas(fileURLToPath(new URL('../../../../examples/shop/schemas/', import.meta.url)))
let number = 0
const message = (type: string, userId: string, fields: object, id = `e${++number}`): Message => {
  const payload = encode(schemas.get(type)!, { id, userId, occurredAt: 1_700_000_000_000, ...fields })
  return { subject: `events.shop.${type}.${userId}`, payload, messageId: String(number) }
}
const order = (userId: string, total: number, id?: string) =>
  message('checkout_completed', userId, { cartId: 'c', orderId: 'o', total }, id)
const totalsOf = (...messages: Message[]) => {
  const tally = new ShopTally(schemas)
  for (const one of messages) tally.add(one)
  return tally.totals()
}
const none = {
  sessions: 0,
  views: 0,
  orders: 0,
  spendCents: 0,
  'triggers.welcome': 0,
  'triggers.first_order': 0,
  'triggers.big_spender': 0,
}

t.test('each kind of event counts for what it is', async t => {
  const totals = totalsOf(
    message('signed_up', 'a', { email: 'a@example.com', plan: 'free', country: 'DE' }),
    message('session_started', 'a', { device: 'phone' }),
    message('product_viewed', 'a', { productId: 'p001' }),
    message('product_viewed', 'b', { productId: 'p001' }),
    message('cart_updated', 'a', { cartId: 'c', value: 20, items: 1 }),
  )
  t.strictSame(totals, { ...none, sessions: 1, views: 2, 'triggers.welcome': 1 })
})

t.test('the first order and 500 spent fire once for a person', async t => {
  const totals = totalsOf(order('a', 499.99), order('a', 0.01), order('a', 900), order('b', 499.99))
  const expected = { orders: 4, spendCents: 50_000 + 90_000 + 49_999, 'triggers.first_order': 2 }
  t.strictSame(totals, { ...none, ...expected, 'triggers.big_spender': 1 })
})

t.test('copies, damaged and impossible events count for nothing', async t => {
  const good = order('a', 10)
  const { payload } = order('a', 30)
  const stranger = Buffer.from(payload)
  stranger.writeUInt8(stranger.readUInt8(5) ^ 1, 5)
  const totals = totalsOf(
    good,
    { ...good, messageId: 'copy' },
    { ...good, payload: payload.subarray(0, -1) },
    { ...good, payload: Buffer.concat([payload, Buffer.of(0)]) },
    { ...good, payload: stranger },
    order('a', -1),
    message('cart_updated', 'a', { cartId: 'c', value: -1, items: 1 }),
  )
  t.strictSame(totals, { ...none, orders: 1, spendCents: 1_000, 'triggers.first_order': 1 })
})

t.test('the load has 5 % copies and nobody under another person’s subject or from years ahead', async t => {
  const clock = () => 1_700_000_000_000
  const seen = new Set<string>()
  let copies = 0
  for (const { subject, payload } of personalization.messages({ seed: 1, events: 20_000, clock })) {
    const text = payload.toString('latin1')
    if (seen.has(text)) copies++
    seen.add(text)
    t.notMatch(subject, /-other$/)
  }
  t.ok(copies > 800 && copies < 1_200, `${copies} copies in 20,000`)
})
