import t from 'tap'
import { type Event, MillraceError } from '../../../engine/index.js'
import { validate } from '../../../operators/index.js'
import { context, decoded, jsonFiles, setupIn, start } from './stage.js'

const orderSchema = {
  type: 'object',
  required: ['total', 'at'],
  properties: { total: { type: 'number', minimum: 0 }, at: { type: 'string', format: 'date-time' } },
}
const good = { total: 0, at: '2024-02-29T12:00:00Z' }

t.test('a value that matches the schema passes untouched', async t => {
  const stage = await start(validate({ schema: orderSchema }))
  const event = decoded(good)
  t.equal(stage.process(event, context), event)
})

t.test('a value that does not match is rejected with the place and the rule, not the value', async t => {
  const stage = await start(validate({ schema: orderSchema }))
  const told = (value: unknown) => stage.process(decoded(value), context)
  t.match(told({ ...good, total: -0.01 }), { reason: 'schema', detail: '/total must be >= 0' })
  t.match(told({ ...good, at: 'secret' }), { reason: 'schema', detail: '/at must match format "date-time"' })
  t.match(told({ at: good.at }), { reason: 'schema', detail: "value must have required property 'total'" })
  t.match(told(null), { reason: 'schema', detail: 'value must be object' })
})

t.test('defaults, coercion and removal do not edit the value', async t => {
  const schema = {
    type: 'object',
    properties: { a: { type: 'number', default: 1 }, b: { type: 'number' } },
    additionalProperties: false,
  }
  const stage = await start(validate({ schema }))
  const value = Object.freeze({})
  t.equal((stage.process(decoded(value), context) as Event).value, value)
  t.match(stage.process(decoded({ b: '1' }), context), { reason: 'schema' })
  t.match(stage.process(decoded({ c: 1 }), context), { reason: 'schema' })
})

t.test('schemas by type come from a folder or an object; other types pass', async t => {
  const folder = t.testdir({
    schemas: { 'order.json': JSON.stringify(orderSchema), 'notes.txt': 'no schema' },
    ...jsonFiles({ 'a.json': orderSchema }),
  })
  for (const schemas of ['schemas', { order: 'a.json' }, { order: orderSchema }]) {
    const stage = await start(validate({ schemas }), setupIn(folder))
    t.match(stage.process(decoded({}, { type: 'order' }), context), { reason: 'schema' })
    t.match(stage.process(decoded({}, { type: 'refund' }), context), { type: 'refund' })
  }
})

t.test('a schema for all and one for the type must both hold', async t => {
  const stage = await start(
    validate({ schema: { required: ['a'], type: 'object' }, schemas: { order: { required: ['b'], type: 'object' } } }),
  )
  const reasonOf = (value: object) => (stage.process(decoded(value), context) as { reason?: string }).reason
  t.equal(reasonOf({ a: 1, b: 1 }), undefined)
  t.equal(reasonOf({ a: 1 }), 'schema')
  t.equal(reasonOf({ b: 1 }), 'schema')
})

t.test('a member may be required without a type, and have one of several types', async t => {
  const schema = { type: 'object', required: ['a', 'b'], properties: { b: { type: ['string', 'number'] } } }
  const stage = await start(validate({ schema }))
  for (const b of ['x', 5]) t.match(stage.process(decoded({ a: 1, b }), context), { key: 'ada' })
  t.match(stage.process(decoded({ a: 1, b: null }), context), { reason: 'schema' })
})

t.test('the first broken rule is the detail', async t => {
  const rules = {
    total_not_negative: (event: Event<{ total: number }>) => event.value.total >= 0,
    has_key: (event: Event<never>) => event.key !== '',
  }
  const stage = await start(validate({ rules }))
  t.match(stage.process(decoded({ total: 0 }), context), { value: { total: 0 } })
  t.match(stage.process(decoded({ total: -1 }, { key: '' }), context), { reason: 'rule', detail: 'total_not_negative' })
  t.match(stage.process(decoded({ total: 1 }, { key: '' }), context), { reason: 'rule', detail: 'has_key' })
})

t.test('draft-07 is understood when a schema says so', async t => {
  const tuple = {
    type: 'object',
    properties: { pair: { type: 'array', items: [{ type: 'number' }], minItems: 1, additionalItems: false } },
  }
  const stage = await start(validate({ schema: { ...tuple, $schema: 'http://json-schema.org/draft-07/schema#' } }))
  t.match(stage.process(decoded({ pair: [1] }), context), { key: 'ada' })
  t.match(stage.process(decoded({ pair: ['x'] }), context), { reason: 'schema' })
  await t.rejects(
    start(validate({ schema: tuple })),
    { code: 'pipeline_invalid' },
    'the latest draft has no such tuples',
  )
})

t.test('schemas that cannot be used stop the start, all at once', async t => {
  const folder = t.testdir({ 'broken.json': '{' })
  const schemas = {
    missing: 'missing.json',
    broken: 'broken.json',
    typo: { type: 'object', requird: ['a'] },
    later: { $async: true, type: 'object' },
    number: { type: 'nummer' },
  }
  const error = await start(validate({ schemas }), setupIn(folder)).catch((cause: unknown) => cause)
  t.ok(error instanceof MillraceError && error.code === 'pipeline_invalid')
  const { lines } = error as MillraceError
  t.match(lines, [
    /^schemas\.missing cannot be used: ENOENT/,
    /^schemas\.broken cannot be used: .*JSON/,
    /^schemas\.typo cannot be used: strict mode: unknown keyword: "requird"/,
    /^schemas\.later must not be asynchronous/,
    /^schemas\.number cannot be used: schema is invalid/,
  ])
  t.equal(lines.length, 5)
})

t.test('options that cannot work are problems', t => {
  t.same(validate({}).problems, ['options must have schema, schemas or rules'])
  t.same(validate({ schema: 5 as never }).problems, ['schema must be a file or a schema, got 5'])
  t.same(validate({ schemas: [] as never }).problems, [
    'schemas must be a folder or an object of files or schemas, got []',
  ])
  t.same(validate({ schemas: { order: 5 as never } }).problems, [
    'schemas must be a folder or an object of files or schemas, got {"order":5}',
  ])
  t.same(validate({ rules: 'x' as never }).problems, ['rules must be an object of functions, got "x"'])
  t.same(validate({ rules: { TooLow: () => true, bad: 1, later: async () => true } as never }).problems, [
    'rules.TooLow must have a lower_snake name',
    'rules.bad must be a function, got 1',
    'rules.later must not be async',
  ])
  t.end()
})
