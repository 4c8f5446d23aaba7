import avro, { type Schema } from 'avsc'
import t from 'tap'
import { MillraceError } from '../../../engine/index.js'
import { fingerprint } from '../../../operators/avro/fingerprint.js'
import { fingerprintIdentity } from '../../../operators/avro/framing.js'
import { decodeAvro } from '../../../operators/index.js'
import { context, eventOf, jsonFiles, plain, received, setupIn, start, told } from './stage.js'

const schemaOf = (name: string, ...fields: object[]): Schema =>
  ({ type: 'record', name, namespace: 'shop', fields: [{ name: 'key', type: 'string' }, ...fields] }) as Schema

const order = schemaOf(
  'Order',
  { name: 'total', type: 'double' },
  { name: 'coupon', type: ['null', 'string'], default: null },
)
const oldOrder = schemaOf('Order', { name: 'total', type: 'int' }, { name: 'cents', type: 'int' })
const cart = schemaOf('Cart', { name: 'lines', type: 'int' })
const folderOf = { 'order.avsc': order, 'order@1.avsc': oldOrder, 'cart.avsc': cart }

function single(schema: Schema, value: object): Buffer {
  const record = avro.Type.forSchema(schema).toBuffer(value)
  return Buffer.concat([Buffer.from([0xc3, 0x01]), fingerprintIdentity(fingerprint(schema)), record])
}

const newPayload = single(order, { key: 'ada', total: 9.5, coupon: 'X' })
const oldPayload = single(oldOrder, { key: 'bob', total: 7, cents: 50 })

t.test('a record is read as the schema of its event type, whoever wrote it', async t => {
  const stage = await start(decodeAvro({ schemas: 'schemas' }), setupIn(t.testdir({ schemas: jsonFiles(folderOf) })))
  const decode = (payload: Buffer, type = 'order') => eventOf(stage.process(received(payload, { type }), context))
  t.same(plain(decode(newPayload).value), { key: 'ada', total: 9.5, coupon: 'X' })
  t.same(plain(decode(oldPayload).value), { key: 'bob', total: 7, coupon: null }, 'resolved to the reader')
  t.same(plain(decode(single(cart, { key: 'eve', lines: 3 }), 'cart').value), { key: 'eve', lines: 3 })
})

t.test('values carry own members only, nothing of the library', async t => {
  const stage = await start(decodeAvro({ schemas: '.' }), setupIn(t.testdir(jsonFiles(folderOf))))
  const value = eventOf(stage.process(received(oldPayload), context)).value as object
  t.same(Object.getOwnPropertyNames(Object.getPrototypeOf(value)), ['constructor'])
  t.same(Object.keys(value), ['key', 'total', 'coupon'])
})

t.test('what is wrong with a payload is its reason', async t => {
  const stage = await start(decodeAvro({ schemas: '.' }), setupIn(t.testdir(jsonFiles(folderOf))))
  const decode = (payload: Uint8Array, type = 'order') => stage.process(received(payload, { type }), context)
  const unknown = Buffer.from(newPayload)
  unknown[9]! ^= 1
  t.match(decode(Buffer.from('{"key":"ada"}')), { reason: 'wrong_framing', detail: /c3 01/ })
  t.match(decode(Buffer.alloc(0)), { reason: 'wrong_framing' })
  t.match(decode(newPayload.subarray(0, 9)), { reason: 'truncated', detail: 'the header does not end within 9 bytes' })
  t.match(decode(newPayload.subarray(0, 10)), {
    reason: 'truncated',
    detail: 'the record does not end within 10 bytes',
  })
  t.match(decode(newPayload.subarray(0, -1)), { reason: 'truncated' })
  t.match(decode(Buffer.concat([newPayload, Buffer.alloc(2)])), {
    reason: 'invalid',
    detail: '2 bytes after the record',
  })
  t.match(decode(unknown), { reason: 'unknown_schema', detail: /no schema with fingerprint [0-9a-f]{16}/ })
  t.match(decode(newPayload, 'refund'), { reason: 'unknown_schema', detail: 'no schema for events of type refund' })
  t.match(decode(single(order, { key: '', total: 1, coupon: null })), { reason: 'key_missing' })
})

t.test('the schema of another event type is unknown: its fields would be taken for this one’s', async t => {
  const stage = await start(decodeAvro({ schemas: '.' }), setupIn(t.testdir(jsonFiles(folderOf))))
  t.equal(told(stage.process(received(newPayload, { type: 'cart' }), context)), 'reject:unknown_schema')
})

t.test('one schema may serve every event type', async t => {
  const stage = await start(decodeAvro({ schemas: '.', schema: 'order' }), setupIn(t.testdir(jsonFiles(folderOf))))
  for (const payload of [newPayload, oldPayload]) {
    t.match(stage.process(received(payload, { type: 'anything' }), context), { type: 'anything' })
  }
  const wrong = decodeAvro({ schemas: '.', schema: 'refund' }).start(setupIn(t.testdir(jsonFiles(folderOf))))
  await t.rejects(wrong, { code: 'pipeline_invalid', message: 'schema must be in ., got "refund"' })
})

t.test('Confluent framing finds the writer by id and by guid', async t => {
  const guid = '89791762-2336-4186-9674-299b90a802e2'
  const ids = { 256: 'order.avsc', 7: 'order@1.avsc', [guid]: 'order@1.avsc', 9: 'cart.avsc' }
  const folder = t.testdir(jsonFiles({ ...folderOf, 'ids.json': ids }))
  const stage = await start(decodeAvro({ schemas: '.', framing: 'confluent' }), setupIn(folder))
  const decode = (header: string, framed: Buffer) =>
    stage.process(received(Buffer.concat([Buffer.from(header, 'hex'), framed.subarray(10)])), context)
  t.match(decode('0000000100', newPayload), { key: 'ada' })
  t.match(decode('0000000007', oldPayload), { key: 'bob', value: { total: 7 } })
  t.match(decode('01' + guid.replaceAll('-', ''), oldPayload), { key: 'bob' })
  t.match(decode('0000000008', newPayload), { reason: 'unknown_schema', detail: 'no schema with id 8' })
  t.match(decode('0000000009', newPayload), { reason: 'unknown_schema' }, 'an id of another event type')
  t.match(decode('01' + '00'.repeat(16), newPayload), {
    detail: 'no schema with guid 00000000-0000-0000-0000-000000000000',
  })
  t.match(decode('02', newPayload), { reason: 'wrong_framing' })
  t.match(decode('000000', Buffer.alloc(0)), { reason: 'truncated' })
  t.match(decode('01' + '00'.repeat(15), Buffer.alloc(0)), { reason: 'truncated' })
})

t.test('raw framing is the record alone, written with the schema of its event type', async t => {
  const stage = await start(decodeAvro({ schemas: '.', framing: 'raw' }), setupIn(t.testdir(jsonFiles(folderOf))))
  t.match(stage.process(received(newPayload.subarray(10)), context), { key: 'ada', value: { total: 9.5 } })
  t.match(stage.process(received(Buffer.alloc(0)), context), { reason: 'truncated' })
})

t.test('maxBytes is the largest payload that passes, header included', async t => {
  const folder = t.testdir(jsonFiles(folderOf))
  const exact = await start(decodeAvro({ schemas: '.', maxBytes: newPayload.length }), setupIn(folder))
  const tight = await start(decodeAvro({ schemas: '.', maxBytes: newPayload.length - 1 }), setupIn(folder))
  t.match(exact.process(received(newPayload), context), { key: 'ada' })
  t.equal(told(tight.process(received(newPayload), context)), 'reject:too_large')
})

t.test('a long beyond 2^53 is rejected unless longs are text or BigInts', async t => {
  const big = schemaOf('Order', { name: 'n', type: 'long' })
  const folder = t.testdir(jsonFiles({ 'order.avsc': big }))
  const record = Buffer.concat([Buffer.from([2, 0x61]), Buffer.from('80808080808080' + '8020', 'hex')])
  const decode = async (longs: 'number' | 'text' | 'bigint') =>
    (await start(decodeAvro({ schemas: '.', framing: 'raw', longs }), setupIn(folder))).process(
      received(record),
      context,
    )
  t.match(await decode('number'), { reason: 'invalid', detail: 'potential precision loss' })
  t.match(await decode('text'), { value: { n: String(2n ** 60n) } })
  t.equal((eventOf(await decode('bigint')).value as { n: bigint }).n, 2n ** 60n)
})

t.test('a union of types that look alike keeps the branch, as Avro’s JSON does', async t => {
  const schema = schemaOf('Order', { name: 'amount', type: ['int', 'double'] })
  const stage = await start(
    decodeAvro({ schemas: '.', framing: 'raw' }),
    setupIn(t.testdir(jsonFiles({ 'order.avsc': schema }))),
  )
  const payload = avro.Type.forSchema(schema).toBuffer({ key: 'ada', amount: { int: 3 } })
  t.same(plain(eventOf(stage.process(received(payload), context)).value), { key: 'ada', amount: { int: 3 } })
})

t.test('records of different namespaces match by name, as the specification says', async t => {
  const moved = { ...(order as object), namespace: 'legacy' } as Schema
  const folder = t.testdir(jsonFiles({ 'order.avsc': order, 'order@moved.avsc': moved }))
  const stage = await start(decodeAvro({ schemas: '.' }), setupIn(folder))
  t.match(stage.process(received(single(moved, { key: 'ada', total: 1, coupon: null })), context), { key: 'ada' })
})

t.test('a bad folder stops the start with all its problems', async t => {
  const definition = decodeAvro({ schemas: '.' })
  const folder = t.testdir({ 'a.avsc': '{', 'b.avsc': '"int"' })
  const error = await definition.start(setupIn(folder)).catch((cause: unknown) => cause)
  t.ok(error instanceof MillraceError && error.code === 'pipeline_invalid')
  t.equal((error as MillraceError).lines.length, 2)
})
