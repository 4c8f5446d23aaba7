import { join } from 'node:path'
import t from 'tap'
import { ShopDecoder } from '../../../../benchmarks/peers/node/shop-events.js'
import { shopFolder } from '../../../../benchmarks/workloads/personalization/workload.js'
import { encode, readSchemas } from '../../../../examples/shop/avro.js'

const decoder = await ShopDecoder.read(shopFolder)
const schemas = await readSchemas(join(shopFolder, 'schemas'))
const common = { id: 'e1', userId: 'u1', occurredAt: 1_700_000_000_000 }
const order = (total: number) =>
  encode(schemas.get('checkout_completed')!, { ...common, cartId: 'c1', orderId: 'o1', total })
const view = (productId: string) => encode(schemas.get('product_viewed')!, { ...common, productId })

t.test('a record is decoded with the schema of its fingerprint', async t => {
  t.match(decoder.decode(order(9.99)), { ...common, type: 'checkout_completed', total: 9.99 })
})

t.test('a view gets the category of the catalogue, if its product is in it', async t => {
  // The first row of catalogue.csv.
  t.match(decoder.decode(view('p001')), { type: 'product_viewed', category: 'furniture' })
  t.match(decoder.decode(view('x1')), { type: 'product_viewed', category: undefined })
})

t.test('an amount may be zero, not negative', async t => {
  t.ok(decoder.decode(order(0)))
  t.equal(decoder.decode(order(-0.01)), undefined)
})

t.test('what is not exactly one record of a known schema is not decoded', async t => {
  const whole = order(9.99)
  for (let length = 0; length < whole.length; length++) {
    t.equal(decoder.decode(whole.subarray(0, length)), undefined, `cut after ${length} bytes`)
  }
  t.equal(decoder.decode(Buffer.concat([whole, Buffer.of(0)])), undefined, 'a byte too many')
  const stranger = Buffer.from(whole)
  stranger.writeUInt8(stranger.readUInt8(2) ^ 0xff, 2)
  t.equal(decoder.decode(stranger), undefined, 'another fingerprint')
})
