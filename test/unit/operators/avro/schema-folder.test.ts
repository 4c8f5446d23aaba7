import type { Schema } from 'avsc'
import t from 'tap'
import { MillraceError } from '../../../../engine/index.js'
import { readSchemaFolder } from '../../../../operators/avro/schema-folder.js'
import { jsonFiles } from '../stage.js'

const record = (...fields: object[]): Schema =>
  ({ type: 'record', name: 'Order', fields: [{ name: 'key', type: 'string' }, ...fields] }) as Schema

const byFingerprint = { identifiedBy: 'fingerprint', longs: 'number' } as const
const byId = { identifiedBy: 'id', longs: 'number' } as const

/** Every problem of a folder; throws when it has none. */
async function problemsOf(folder: string, options: Parameters<typeof readSchemaFolder>[1]): Promise<readonly string[]> {
  try {
    await readSchemaFolder(folder, options)
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'pipeline_invalid') return error.lines
    throw error
  }
  throw new Error('the folder has no problems')
}

t.test('a family is the files of an event type, older writers behind an @', async t => {
  const folder = t.testdir(
    jsonFiles({
      'order.avsc': record(),
      'order@1.avsc': record({ name: 'old', type: 'int' }),
      'order@2024-01.avsc': record({ name: 'older', type: 'int' }),
      'order-line.avsc': record(),
      'notes.json': 'not a schema',
    }),
  )
  t.same([...(await readSchemaFolder(folder, byFingerprint)).keys()].sort(), ['order', 'order-line'])
})

t.test('every problem of a folder is said at once', async t => {
  const folder = t.testdir({
    ...jsonFiles({
      'order.avsc': record(),
      'order@1.avsc': { type: 'record', name: 'Order', fields: [] },
      'cart@1.avsc': record(),
      'list.avsc': record({ name: 'nulls', type: { type: 'array', items: 'null' } }),
      'list@1.avsc': record(),
      'text.avsc': 'string',
      'odd.avsc': record({ name: 'field', type: 'Unknown' }),
    }),
    'broken.avsc': '{',
  })
  const problems = await problemsOf(folder, byFingerprint)
  t.equal(problems.length, 6)
  t.match(problems.join('\n'), /broken\.avsc is not JSON/)
  t.match(problems.join('\n'), /list\.avsc cannot be used: has an array whose items can take no bytes/)
  t.match(problems.join('\n'), /text\.avsc cannot be used: is not a record/)
  t.match(problems.join('\n'), /odd\.avsc cannot be used: undefined type name: Unknown/)
  t.match(
    problems.join('\n'),
    /order@1\.avsc cannot be read as order\.avsc: no matching field for default-less Order\.key/,
  )
  t.match(problems.join('\n'), /cart@1\.avsc has no reader schema beside it, cart\.avsc/)
})

t.test('one fingerprint with two logical types is a problem, as nothing says which of them wrote a record', async t => {
  const at = (logicalType: string) => record({ name: 'at', type: { type: 'long', logicalType } })
  const paid = (scale: number) =>
    record({ name: 'paid', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale } })
  const folder = t.testdir(
    jsonFiles({
      'order.avsc': at('timestamp-millis'),
      'order@1.avsc': at('timestamp-micros'),
      'sale.avsc': record(),
      'sale@1.avsc': paid(2),
      'sale@2.avsc': paid(3),
    }),
  )
  t.same(await problemsOf(folder, byFingerprint), [
    'order@1.avsc has the fingerprint of order.avsc but other logical types, so one of them must go',
    'sale@2.avsc has the fingerprint of sale@1.avsc but other logical types, so one of them must go',
  ])
  const byIds = t.testdir(
    jsonFiles({
      'order.avsc': at('timestamp-millis'),
      'order@1.avsc': at('timestamp-micros'),
      'ids.json': { 1: 'order@1.avsc', 2: 'order.avsc' },
    }),
  )
  t.ok(await readSchemaFolder(byIds, byId), 'an id tells them apart')
})

t.test('files that read the same bytes in the same way may share a fingerprint', async t => {
  const at = { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } }
  const documented = {
    ...(record({ ...at, default: 0, doc: 'when' }) as object),
    doc: 'an order',
    aliases: ['Purchase'],
  }
  const folder = t.testdir(
    jsonFiles({
      'order.avsc': record(at),
      'order@1.avsc': record(at),
      'order@2.avsc': documented,
      'cart.avsc': record({ name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } }),
    }),
  )
  for (const longs of ['number', 'text', 'bigint'] as const) {
    t.ok(await readSchemaFolder(folder, { ...byFingerprint, longs }), longs)
  }
})

t.test('a folder that is not there, or without schemas, is a problem', async t => {
  t.match((await problemsOf('does/not/exist', byFingerprint)).join(), /schemas cannot be read .*ENOENT/)
  t.match((await problemsOf(t.testdir({}), byFingerprint)).join(), /schemas must be a folder with \.avsc files/)
})

t.test('Confluent framing needs ids.json, each line of which names a schema', async t => {
  const folder = t.testdir(
    jsonFiles({ 'order.avsc': record(), 'ids.json': { 1: 'order.avsc', two: 'order.avsc', 3: 'cart.avsc', 4: 5 } }),
  )
  const problems = await problemsOf(folder, byId)
  t.same(problems, [
    'ids.json must name a file for 4, got 5',
    'ids.json has a name that is neither an id nor a guid, got "two"',
    'ids.json names a schema that is not there, got "cart.avsc"',
  ])
  const without = t.testdir(jsonFiles({ 'order.avsc': record() }))
  t.match((await problemsOf(without, byId)).join(), /ids\.json cannot be read .*ENOENT/)
  t.ok(await readSchemaFolder(without, byFingerprint), 'other framings do not need it')
})
