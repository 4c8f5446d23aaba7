import fc from 'fast-check'
import t from 'tap'
import { canonicalText, pathTree } from '../../../operators/canonical.js'

t.test('the order of members does not matter, the order of entries does', t => {
  t.equal(canonicalText({ b: 1, a: { d: 2, c: 3 } }), '{"a":{"c":3,"d":2},"b":1}')
  t.equal(canonicalText([2, 1]), '[2,1]')
  t.end()
})

t.test('for what JSON can say, it is JSON that means the same', t => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      t.same(JSON.parse(canonicalText(value)), JSON.parse(JSON.stringify(value)))
    }),
  )
  t.end()
})

t.test('different values have different texts', t => {
  const values = [
    null,
    undefined,
    true,
    'true',
    1,
    '1',
    1n,
    '1n',
    NaN,
    'NaN',
    Infinity,
    [],
    {},
    [null],
    [[]],
    '',
    '[]',
    Buffer.from('a'),
    new Date(1),
    new Date(2),
    new Map([['a', 1]]),
    new Map([['a', 2]]),
    new Set(['a']),
    new Set(['b']),
    new Date(NaN),
    '<YQ==>',
  ]
  t.equal(new Set(values.map(value => canonicalText(value))).size, values.length)
  t.end()
})

t.test('a member that is undefined is like one that is absent', t => {
  t.equal(canonicalText({ a: undefined, b: 1 }), canonicalText({ b: 1 }))
  t.end()
})

t.test('ignored paths are left out, whole or in part', t => {
  const value = { id: 1, sent: 2, meta: { trace: 3, span: 4, kept: 5 }, list: [{ sent: 6 }] }
  t.equal(
    canonicalText(value, pathTree(['sent', 'meta.trace', 'meta.span', 'nowhere.at.all'])),
    '{"id":1,"list":[{"sent":6}],"meta":{"kept":5}}',
  )
  const items = {
    items: [
      { sku: 1, at: 2 },
      { sku: 3, at: 4 },
    ],
  }
  t.equal(canonicalText(items, pathTree(['items.at'])), '{"items":[{"sku":1},{"sku":3}]}', 'in every entry')
  t.equal(canonicalText(items, pathTree(['items.0.at'])), '{"items":[{"sku":1},{"at":4,"sku":3}]}', 'in one')
  t.equal(canonicalText(items, pathTree(['items.at', 'items.0.sku'])), '{"items":[{},{"sku":3}]}', 'both')
  const nested = {
    items: [
      [1, 2],
      [3, 4],
    ],
  }
  t.equal(canonicalText(nested, pathTree(['items.0'])), '{"items":[[3,4]]}', 'a place is one of this list')
  t.equal(canonicalText(items, pathTree(['items.1'])), '{"items":[{"at":2,"sku":1}]}', 'one as a whole')
  for (const paths of [
    ['meta', 'meta.trace'],
    ['meta.trace', 'meta'],
  ])
    t.equal(canonicalText({ meta: { trace: 1, span: 2 } }, pathTree(paths)), '{}', 'the whole counts')
  t.equal(canonicalText({ a: { b: { c: 1, d: 2, e: 3 } } }, pathTree(['a.b.c', 'a.b.d'])), '{"a":{"b":{"e":3}}}')
  t.end()
})
