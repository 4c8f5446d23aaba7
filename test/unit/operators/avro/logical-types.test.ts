import avro, { type Schema } from 'avsc'
import fc from 'fast-check'
import t from 'tap'
import { type Longs, buildType } from '../../../../operators/avro/build-type.js'

const record = (type: unknown, more: object = {}): Schema => ({
  type: 'record',
  name: 'Order',
  fields: [{ name: 'field', type: type as Schema, ...more }],
})

/** What the field's base value is read as. */
function read(type: object, base: unknown, longs?: Longs): unknown {
  const baseType = { ...type, logicalType: undefined }
  const bytes = avro.Type.forSchema(record(baseType)).toBuffer({ field: base })
  return (buildType(record(type), longs).fromBuffer(bytes) as { field: unknown }).field
}

t.test('times become epoch milliseconds', t => {
  t.equal(read({ type: 'long', logicalType: 'timestamp-millis' }, 1_700_000_000_123), 1_700_000_000_123)
  t.equal(read({ type: 'long', logicalType: 'timestamp-micros' }, 1_700_000_000_123_456), 1_700_000_000_123.456)
  t.equal(read({ type: 'long', logicalType: 'local-timestamp-millis' }, -1), -1)
  t.equal(read({ type: 'long', logicalType: 'local-timestamp-micros' }, -1500), -1.5)
  t.equal(read({ type: 'int', logicalType: 'date' }, 19_782), Date.UTC(2024, 1, 29))
  t.equal(read({ type: 'int', logicalType: 'date' }, -1), -86_400_000)
  t.end()
})

t.test('times stay numbers when longs are text', t => {
  t.equal(read({ type: 'long', logicalType: 'timestamp-millis' }, 5, 'text'), 5)
  t.equal(read({ type: 'long' }, 5, 'text'), '5')
  t.end()
})

t.test('decimals become exact text', t => {
  const decimal = { type: 'bytes', logicalType: 'decimal', precision: 6, scale: 2 }
  const cases: [number[], string][] = [
    [[], '0.00'],
    [[0], '0.00'],
    [[1], '0.01'],
    [[0xff], '-0.01'],
    [[0x7f], '1.27'],
    [[0x80], '-1.28'],
    [[0x00, 0x80], '1.28'],
    [[0x04, 0xce], '12.30'],
  ]
  for (const [bytes, expected] of cases) t.equal(read(decimal, Buffer.from(bytes)), expected)
  t.equal(read({ ...decimal, scale: 0 }, Buffer.from([0x04, 0xce])), '1230')
  t.end()
})

t.test('a decimal far beyond its precision is invalid: turning megabytes into digits would take seconds', t => {
  const decimal = { type: 'bytes', logicalType: 'decimal', precision: 6, scale: 2 }
  t.doesNotThrow(() => read(decimal, Buffer.alloc(6)))
  t.throws(() => read(decimal, Buffer.alloc(7)), /exceeds its precision/)
  t.end()
})

t.test('a uuid of 16 bytes becomes its text', t => {
  const bytes = Buffer.from('8979176223364186967429 9b90a802e2'.replace(' ', ''), 'hex')
  t.equal(
    read({ type: 'fixed', name: 'Id', size: 16, logicalType: 'uuid' }, bytes),
    '89791762-2336-4186-9674-299b90a802e2',
  )
  t.equal(read({ type: 'string', logicalType: 'uuid' }, 'as written'), 'as written')
  t.end()
})

t.test('a logical type on the wrong base, or malformed, is read as its base, as the specification asks', t => {
  t.equal(read({ type: 'string', logicalType: 'date' }, 'x'), 'x')
  t.equal(read({ type: 'long', logicalType: 'date' }, 5), 5)
  t.equal(read({ type: 'int', logicalType: 'timestamp-micros' }, 5000), 5000)
  t.same(read({ type: 'bytes', logicalType: 'decimal' }, Buffer.from([1])), Buffer.from([1]))
  t.same(read({ type: 'bytes', logicalType: 'decimal', precision: 2, scale: 3 }, Buffer.from([1])), Buffer.from([1]))
  t.same(read({ type: 'fixed', name: 'Id', size: 2, logicalType: 'uuid' }, Buffer.from([1, 2])), Buffer.from([1, 2]))
  t.same(read({ type: 'array', items: 'int', logicalType: 'decimal' }, [1]), [1])
  t.end()
})

/** Where the library's own arithmetic loses the sign. */
const nearTheBound = fc
  .tuple(fc.constantFrom(-1n, 1n), fc.bigInt({ min: 2n ** 51n, max: 2n ** 54n }))
  .map(([sign, value]) => sign * value)

t.test('longs of 64 bits are exact as text and as BigInt, and refused as numbers', t => {
  fc.assert(
    fc.property(fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), nearTheBound), value => {
      const bytes = buildType(record('long'), 'bigint').toBuffer({ field: value })
      const as = (longs: Longs) => (buildType(record('long'), longs).fromBuffer(bytes) as { field: unknown }).field
      t.equal(as('bigint'), value)
      t.equal(as('text'), String(value))
      if (value > -(2n ** 53n) && value < 2n ** 53n) t.equal(as('number'), Number(value))
      else t.throws(() => as('number'), /precision loss/)
    }),
  )
  t.end()
})

t.test('defaults of new fields are read like values', t => {
  const older = avro.Type.forSchema({ type: 'record', name: 'Order', fields: [] })
  const defaultOf = (type: object, value: unknown): unknown => {
    const reader = buildType(record(type, { default: value }))
    return (reader.fromBuffer(Buffer.alloc(0), reader.createResolver(older)) as { field: unknown }).field
  }
  t.equal(defaultOf({ type: 'long', logicalType: 'timestamp-micros' }, 1500), 1.5)
  t.equal(defaultOf({ type: 'int', logicalType: 'date' }, 2), 172_800_000)
  t.equal(defaultOf({ type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 }, '\u0004\u00ce'), '12.30')
  t.end()
})

t.test('a writer’s time is the reader’s time whatever the units, and the writer’s base value becomes one', t => {
  const convert = (writer: object, reader: object, base: unknown): unknown => {
    const bytes = avro.Type.forSchema(record(writer)).toBuffer({ field: base })
    const type = buildType(record(reader))
    return (type.fromBuffer(bytes, type.createResolver(buildType(record(writer)))) as { field: unknown }).field
  }
  const micros = { type: 'long', logicalType: 'timestamp-micros' }
  const millis = { type: 'long', logicalType: 'timestamp-millis' }
  const decimal = { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 }
  t.equal(convert(micros, millis, 1500), 1.5)
  t.equal(convert({ type: 'long' }, micros, 1500), 1.5)
  t.equal(convert(micros, { type: 'long' }, 1500), 1500, 'a reader without the logical type sees the count')
  t.equal(convert({ type: 'bytes' }, decimal, Buffer.from([1])), '0.01')
  t.equal(convert(decimal, decimal, Buffer.from([1])), '0.01')
  t.throws(() => convert({ ...decimal, scale: 1 }, decimal, Buffer.from([1])), /cannot read/, 'scales must agree')
  t.end()
})
