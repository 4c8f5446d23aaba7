import type { Schema } from 'avsc'
import t from 'tap'
import { buildType } from '../../../../operators/avro/build-type.js'

function recordOf(type: unknown): Schema {
  return { type: 'record', name: 'Order', fields: [{ name: 'field', type: type as Schema }] }
}

const empty = { type: 'record', name: 'Empty', fields: [] }
const nulls = {
  type: 'record',
  name: 'Nulls',
  fields: [
    { name: 'a', type: 'null' },
    { name: 'b', type: empty },
  ],
}

t.test('arrays whose items can take no bytes are refused, wherever they are', t => {
  const items = [
    'null',
    { type: 'fixed', name: 'None', size: 0 },
    empty,
    nulls,
    { type: 'fixed', name: 'Nothing', size: 0, logicalType: 'decimal', precision: 1 },
  ]
  for (const item of items) {
    const array = { type: 'array', items: item }
    const inRecord = { type: 'record', name: 'Inner', fields: [{ name: 'list', type: array }] }
    for (const type of [
      array,
      { type: 'array', items: array },
      { type: 'map', values: array },
      ['null', array],
      inRecord,
    ]) {
      t.throws(() => buildType(recordOf(type)), /array whose items can take no bytes/, JSON.stringify(type))
    }
  }
  t.end()
})

t.test('an array behind a recursive record is found', t => {
  const tree = {
    type: 'record',
    name: 'Tree',
    fields: [
      { name: 'children', type: { type: 'array', items: 'Tree' } },
      { name: 'nulls', type: ['int', { type: 'array', items: 'null' }] },
    ],
  }
  t.throws(() => buildType(recordOf(tree)), /can take no bytes/)
  t.end()
})

t.test('arrays whose items take a byte are fine: a branch number, a count, a length', t => {
  const tree = { type: 'record', name: 'Tree', fields: [{ name: 'children', type: { type: 'array', items: 'Tree' } }] }
  const fixed = { type: 'fixed', name: 'One', size: 1 }
  for (const item of [
    ['null', 'int'],
    { type: 'array', items: 'int' },
    { type: 'map', values: 'null' },
    fixed,
    tree,
    'boolean',
  ]) {
    t.doesNotThrow(() => buildType(recordOf({ type: 'array', items: item })), JSON.stringify(item))
  }
  t.end()
})

t.test('maps hold anything: the length of a key takes a byte', t => {
  for (const values of ['null', empty]) t.doesNotThrow(() => buildType(recordOf({ type: 'map', values })))
  t.end()
})

t.test('a record that contains itself must do so through something that can end', t => {
  const endless = { type: 'record', name: 'Endless', fields: [{ name: 'next', type: 'Endless' }] }
  const list = { type: 'record', name: 'List', fields: [{ name: 'next', type: ['null', 'List'] }] }
  t.throws(
    () => buildType(recordOf(endless)),
    /record Endless contains itself without end|record Order contains itself/,
  )
  t.doesNotThrow(() => buildType(recordOf(list)))
  t.end()
})

t.test('a field called __proto__ is refused', t => {
  t.throws(
    () => buildType({ type: 'record', name: 'Order', fields: [{ name: '__proto__', type: 'string' }] }),
    /has a field "__proto__"/,
  )
  t.end()
})

t.test('only a record can be an event', t => {
  for (const schema of [
    'string',
    { type: 'array', items: 'int' },
    { type: 'enum', name: 'E', symbols: ['A'] },
  ] as Schema[]) {
    t.throws(() => buildType(schema), /is not a record/)
  }
  t.end()
})

t.test('a record without a name is refused: producers and readers could not mean the same', t => {
  t.throws(() => buildType(JSON.parse('{"type":"record","fields":[]}') as Schema), /missing name/)
  t.end()
})
