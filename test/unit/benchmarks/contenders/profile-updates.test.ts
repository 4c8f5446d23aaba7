import t from 'tap'
import { consequencesOf, isCopy, updateCommands } from '../../../../benchmarks/peers/node/profile-updates.js'
import type { ShopEvent } from '../../../../benchmarks/peers/node/shop-events.js'

const common = { id: 'e1', userId: 'u1', occurredAt: 1_000 }
const bought = (total: number): ShopEvent => ({ ...common, type: 'checkout_completed', total })
const viewed: ShopEvent = { ...common, type: 'product_viewed', productId: 'p1', category: 'toys' }

const entered = (event: ShopEvent, ...answers: unknown[]) => consequencesOf(event, answers).segments
const fired = (event: ShopEvent, ...answers: unknown[]) =>
  consequencesOf(event, answers).triggers.map(({ name }) => name)

t.test('a message is a copy when another one had its id before, not when it is delivered again', async t => {
  t.notOk(isCopy(null, 7))
  t.notOk(isCopy('7', 7))
  t.ok(isCopy('6', 7))
})

t.test('an order counts once, with its amount', async t => {
  t.strictSame(updateCommands(bought(12.5)), [
    ['hincrby', 'profile:u1', 'orders', 1],
    ['hincrbyfloat', 'profile:u1', 'spend', 12.5],
  ])
})

t.test('a view of a product that is not in the catalogue has no category to count', async t => {
  t.strictSame(updateCommands(viewed), [
    ['hincrby', 'profile:u1', 'views', 1],
    ['hincrby', 'profile:u1', 'category:toys', 1],
  ])
  t.strictSame(updateCommands({ ...viewed, category: undefined }), [['hincrby', 'profile:u1', 'views', 1]])
})

t.test('first_order and customer follow the first order only', async t => {
  t.strictSame([fired(bought(1), 1, '1'), entered(bought(1), 1, '1')], [['first_order'], ['customer']])
  t.strictSame([fired(bought(1), 2, '2'), entered(bought(1), 2, '2')], [[], []])
})

t.test(
  'big_spender follows the order with which spend reaches 500, vip the one with which it reaches 1000',
  async t => {
    t.strictSame(fired(bought(100), 2, '499.99'), [])
    t.strictSame(fired(bought(100), 2, '500'), ['big_spender'])
    t.strictSame(fired(bought(100), 3, '600'), [])
    t.strictSame(entered(bought(100), 4, '999.99'), [])
    t.strictSame(entered(bought(100), 4, '1000'), ['vip'])
    t.strictSame(entered(bought(100), 5, '1100'), [])
  },
)

t.test('browsing begins with the third view, browse_intent with the fifth, at most every ten seconds', async t => {
  t.strictSame(
    [2, 3, 4].map(views => entered(viewed, views, 1)),
    [[], ['browsing'], []],
  )
  t.strictSame(
    [4, 5, 6].map(views => fired(viewed, views, 1)),
    [[], ['browse_intent'], ['browse_intent']],
  )
  t.equal(consequencesOf(viewed, [5, 1]).triggers[0]!.cooldownMs, 10_000)
})
