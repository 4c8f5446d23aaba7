import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import t from 'tap'
import { compareValues, requireJson, sizeBound, stored } from '../../../profiles/plain.js'

const packr = new Packr({ useRecords: false, copyBuffers: true })

const anything = fc.anything({
  withDate: true,
  withTypedArray: false,
  withNullPrototype: true,
  key: fc.oneof(fc.string(), text()),
  maxDepth: 3,
})

/** With halves of surrogate pairs, byte order marks, and lengths on both sides of 64 bytes. */
function text() {
  const unit = fc.constantFrom('a', 'é', '€', '😀', '\ud800', '\udc00', '\ufeff')
  return fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .tuple(fc.string({ unit, maxLength: 8 }), fc.nat(80), fc.constantFrom('', '__proto__'))
      .map(([start, length, end]) => start + 'x'.repeat(length) + end),
  )
}

t.test('what is kept equals what its bytes give back', async t => {
  const law = fc.property(fc.oneof(anything, text(), fc.dictionary(text(), anything)), value => {
    const kept = stored(value)
    assert.deepEqual(packr.unpack(packr.pack(kept)), kept)
    assert.deepEqual(stored(kept), kept)
  })
  fc.assert(law, { numRuns: 2_000 })
  t.pass()
})

t.test('a decoder that swallows a byte order mark finds none in long text', async t => {
  const decoder = new TextDecoder()
  const law = fc.property(text(), value => {
    const kept = stored(value) as string
    const bytes = Buffer.from(kept)
    if (bytes.length > 64) assert.equal(decoder.decode(bytes), kept)
  })
  fc.assert(law, { numRuns: 2_000 })
  const marked = (length: number) => '\ufeff'.repeat(2) + 'x'.repeat(length - 6)
  t.equal(stored(marked(64)), marked(64))
  t.equal(stored(marked(65)), 'x'.repeat(59))
  t.strictSame(stored({ [marked(65)]: 1 }), { ['x'.repeat(59)]: 1 })
})

t.test('the bound of the size is a bound', async t => {
  const law = fc.property(fc.oneof(anything, fc.string({ unit: 'binary' })), value => {
    const kept = stored(value)
    return packr.pack(kept).length <= sizeBound(kept)
  })
  fc.assert(law, { numRuns: 500 })
  t.pass()
})

t.test('lone halves of surrogate pairs, -0, fields without a value and classes are made plain', async t => {
  class Point {
    constructor(readonly x: number) {}
  }
  t.equal(stored('a\ud800b'), 'a\ufffdb')
  t.equal(stored('😀'), '😀')
  t.strictSame(stored({ 'a\ud800b': 1, '😀': 2 }), { 'a\ufffdb': 1, '😀': 2 })
  t.ok(Object.is(stored(-0), 0))
  t.strictSame(stored({ a: undefined, b: [undefined, new Point(1)] }), { b: [null, { x: 1 }] })
  t.strictSame(stored(new Uint8Array([1, 2])), Buffer.from([1, 2]))
  t.equal(stored(new Date(NaN)), null)
})

t.test('functions, symbols, bigints, maps and sets cannot be kept', async t => {
  for (const value of [() => 1, Symbol('x'), 1n, new Map(), new Set()]) {
    t.throws(() => stored({ value }), { message: /^cannot be kept in a profile/ })
  }
  t.throws(() => stored(1n), { message: 'cannot be kept in a profile: a bigint' })
})

t.test('65,535 fields are kept, one more is refused before it can break packing', async t => {
  const wide = (fields: number) => Object.fromEntries(Array.from({ length: fields }, (_, i) => [`f${i}`, i]))
  const kept = stored(wide(65_535))
  assert.deepEqual(packr.unpack(packr.pack(kept)), kept)
  t.throws(() => stored([wide(65_536)]), { message: 'cannot be kept in a profile: more than 65535 fields' })
})

t.test('values have one order', async t => {
  const value = fc.jsonValue({ maxDepth: 1 }).map(stored)
  fc.assert(
    fc.property(value, value, value, (a, b, c) => {
      if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0 && compareValues(a, c) > 0) throw new Error('no order')
      if (Math.sign(compareValues(a, b)) !== -Math.sign(compareValues(b, a))) throw new Error('not symmetric')
    }),
    { numRuns: 500 },
  )
  t.equal(compareValues({ a: 1, b: 2 }, { b: 2, a: 1 }), 0)
  t.not(compareValues({ a: 1 }, { a: 2 }), 0)
})

t.test('only what JSON can say is emitted', async t => {
  requireJson({ a: [1, 'x', null, true, { b: undefined }] }, 'it')
  for (const value of [NaN, 1n, () => 1, new Date(), new Map(), Buffer.from('x'), Promise.resolve(1), /x/]) {
    t.throws(() => requireJson({ a: [value] }, 'it'), { message: /^it must be plain JSON data, got / })
  }
})

t.test('64 levels are kept, 65 are refused before they can break packing', async t => {
  const nested = (levels: number): unknown => {
    let value: unknown = 'core'
    for (let level = 0; level < levels; level++) value = [value]
    return value
  }
  t.doesNotThrow(() => stored(nested(64)))
  t.throws(() => stored(nested(65)), { message: 'cannot be kept in a profile: more than 64 levels deep' })
  t.throws(() => stored(nested(100_000)), { message: 'cannot be kept in a profile: more than 64 levels deep' })
})

t.test('a field named __proto__ does not change what the copy is', async t => {
  const kept = stored(JSON.parse('{"a":1,"__proto__":{"b":2}}'))
  t.strictSame(Object.keys(kept as object), ['a'])
  t.strictSame(Object.keys(stored({ [`${'\ufeff'.repeat(20)}__proto__`]: { b: 2 } }) as object), [])
  t.equal(Object.getPrototypeOf(kept), Object.prototype)
})
