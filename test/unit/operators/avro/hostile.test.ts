/** Bytes that would keep the library's own readers busy for seconds, or for ever. A regression shows as a timeout. */
import avro, { type Schema } from 'avsc'
import fc from 'fast-check'
import t from 'tap'
import { Reject } from '../../../../engine/index.js'
import { decodeAvro } from '../../../../operators/index.js'
import { context, eventOf, jsonFiles, received, setupIn, start, told } from '../stage.js'

const field = (name: string, type: unknown) => ({ name, type: type as Schema })
const key = field('key', 'string')
const record = (...fields: { name: string; type: Schema }[]): Schema => ({ type: 'record', name: 'Order', fields })

/** Zigzag varint of the specification, for counts and sizes. */
function long(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

/** Files of a folder whose only schema is this one. */
const only = (schema: Schema) => jsonFiles({ 'order.avsc': schema })

function decoder(folder: string) {
  return start(decodeAvro({ schemas: '.', framing: 'raw' }), setupIn(folder))
}

const keyAda = Buffer.from([6, 0x61, 0x64, 0x61])

t.test('a block that announces more entries than bytes are left is truncated, at once', async t => {
  for (const type of ['array', 'map'] as const) {
    const inner = type === 'array' ? { type, items: 'long' } : { type, values: 'long' }
    const stage = await decoder(t.testdir(only(record(key, field('entries', inner)))))
    for (const count of [1n, 4_294_967_295n, 4_294_967_296n, 2n ** 53n, 2n ** 62n]) {
      for (const head of [long(count), Buffer.concat([long(-count), long(1n)])]) {
        const outcome = stage.process(received(Buffer.concat([keyAda, head])), context)
        t.equal(told(outcome), 'reject:truncated', `${type} of ${count}`)
      }
    }
  }
})

t.test('as many entries as bytes are left is the most that passes', async t => {
  const stage = await decoder(t.testdir(only(record(key, field('entries', { type: 'array', items: ['null', 'int'] })))))
  const block = (count: bigint) => Buffer.concat([keyAda, long(count), Buffer.alloc(3), long(0n)])
  t.match(stage.process(received(block(3n)), context), { value: { entries: [null, null, null] } })
  t.equal(told(stage.process(received(block(5n)), context)), 'reject:truncated')
})

t.test('blocks that say their size in bytes are read too', async t => {
  const stage = await decoder(t.testdir(only(record(key, field('entries', { type: 'array', items: 'int' })))))
  const payload = Buffer.concat([
    keyAda,
    long(-2n),
    long(2n),
    Buffer.from([2, 4]),
    long(1n),
    Buffer.from([6]),
    long(0n),
  ])
  t.match(stage.process(received(payload), context), { value: { entries: [1, 2, 3] } })
})

t.test('a field that the reader skips cannot send it backwards or past the end', async t => {
  const current = record(key)
  for (const inner of [
    { type: 'array', items: 'long' },
    { type: 'map', values: 'long' },
  ]) {
    const older = record(field('entries', inner), key)
    const folder = t.testdir(
      jsonFiles({ 'order.avsc': current, 'order@1.avsc': older, 'ids.json': { 1: 'order@1.avsc' } }),
    )
    const stage = await start(decodeAvro({ schemas: '.', framing: 'confluent' }), setupIn(folder))
    const skip = (...parts: Buffer[]) =>
      told(stage.process(received(Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), ...parts])), context))
    t.equal(skip(long(-1n), long(-2n), long(0n), keyAda), 'reject:invalid', 'backwards')
    t.equal(skip(long(-1n), long(2n ** 40n), long(0n), keyAda), 'reject:truncated', 'far past the end')
    t.equal(skip(long(2n ** 40n), keyAda), 'reject:truncated', 'entries without end')
    t.match(skip(long(-1n), long(3n), Buffer.from([9, 9, 9]), long(0n), keyAda), { key: 'ada' }, 'jumped over')
    t.match(skip(long(0n), keyAda), { key: 'ada' }, 'empty')
  }
})

t.test('an int of more than 32 bits is invalid, not cut', async t => {
  const stage = await decoder(t.testdir(only(record(key, field('n', 'int')))))
  const decode = (n: bigint) => told(stage.process(received(Buffer.concat([keyAda, long(n)])), context))
  t.match(decode(2n ** 31n - 1n), { value: { n: 2147483647 } })
  t.match(decode(-(2n ** 31n)), { value: { n: -2147483648 } })
  t.equal(decode(2n ** 31n), 'reject:invalid')
  t.equal(decode(-(2n ** 31n) - 1n), 'reject:invalid')
})

t.test('a record nested deeper than the stack is rejected', async t => {
  const list = { type: 'record', name: 'List', fields: [{ name: 'next', type: ['null', 'List'] }] }
  const stage = await decoder(t.testdir(only(record(key, field('list', list)))))
  const payload = Buffer.concat([keyAda, Buffer.alloc(500_000, 2), Buffer.from([0])])
  t.equal(told(stage.process(received(payload), context)), 'reject:invalid')
})

t.test('a map cannot hold a key that would replace its prototype', async t => {
  const schema = record(key, field('map', { type: 'map', values: { type: 'map', values: 'int' } }))
  const stage = await decoder(t.testdir(only(schema)))
  const proto = Buffer.from('\x12__proto__', 'latin1')
  const payload = Buffer.concat([keyAda, long(1n), proto, long(1n), Buffer.from([2, 0x61, 2]), long(0n), long(0n)])
  const value = eventOf(stage.process(received(payload), context)).value as { map: object }
  t.same(Object.getOwnPropertyNames(value.map), [])
  t.equal(Object.getPrototypeOf(value.map), Object.prototype)
})

t.test('every proper beginning of a record is rejected as truncated', async t => {
  const schema = record(
    key,
    field('n', 'long'),
    field('d', 'double'),
    field('list', { type: 'array', items: ['null', 'string'] }),
    field('map', { type: 'map', values: 'float' }),
    field('price', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }),
    field('hash', { type: 'fixed', name: 'Hash', size: 16, logicalType: 'uuid' }),
    field('ok', 'boolean'),
  )
  const value = {
    key: 'ada',
    n: 2 ** 40,
    d: 1.5,
    list: [null, 'x', 'y'],
    map: { a: 1 },
    price: Buffer.from([1, 2]),
    hash: Buffer.alloc(16, 7),
    ok: true,
  }
  const stage = await decoder(t.testdir(only(schema)))
  const payload = avro.Type.forSchema(schema).toBuffer(value)
  t.match(stage.process(received(payload), context), { key: 'ada', value: { price: '2.58', ok: true } })
  for (let length = 0; length < payload.length; length++) {
    t.equal(told(stage.process(received(payload.subarray(0, length)), context)), 'reject:truncated', `${length} bytes`)
  }
})

t.test('arbitrary bytes are decoded or rejected, never thrown on', async t => {
  const tree = { type: 'record', name: 'Tree', fields: [{ name: 'children', type: { type: 'array', items: 'Tree' } }] }
  const schema = record(
    key,
    field('tree', tree),
    field('map', { type: 'map', values: ['null', 'long', 'bytes'] }),
    field('price', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }),
    field('day', { type: 'int', logicalType: 'date' }),
    field('suit', { type: 'enum', name: 'Suit', symbols: ['A', 'B'] }),
  )
  const stage = await decoder(t.testdir(only(schema)))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      const outcome = stage.process(received(bytes), context)
      return !(outcome instanceof Reject) || ['truncated', 'invalid', 'key_missing'].includes(outcome.reason)
    }),
    { numRuns: 2000 },
  )
})
