import { rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { enrichTable } from '../../../operators/index.js'
import { eventually } from '../../support/eventually.js'
import { type Notice, context, decoded, eventOf, setupIn, start, told } from './stage.js'

const csv = 'sku,category,price\nA1,mugs,10.5\nA2,plates,\n'
const options = { file: 'products.csv', key: 'sku', by: 'sku' }

/** Starts the stage beside a table and stops it with the test. */
async function enrich(t: Tap, more: object = {}, table = csv, notices: Notice[] = []) {
  const folder = t.testdir({ 'products.csv': table, 'products.json': '[{"sku":"A1","category":"mugs","price":10.5}]' })
  const stage = await start(enrichTable({ ...options, ...more }), setupIn(folder, notices))
  t.teardown(() => stage.close?.())
  return { stage, file: path.join(folder, 'products.csv') }
}

/** As a whole: written in place it would be empty for a moment, which is another broken table. */
async function replace(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content)
  await rename(`${file}.new`, file)
}

interface Tap {
  testdir(content: Record<string, string>): string
  teardown(close: () => unknown): void
}

t.test('the columns of the row become fields of a new value', async t => {
  const { stage } = await enrich(t)
  const value = Object.freeze({ sku: 'A1', n: 1, category: 'old' })
  const event = decoded(value)
  t.same(eventOf(stage.process(event, context)).value, { sku: 'A1', n: 1, category: 'mugs', price: '10.5' })
  t.same(value, { sku: 'A1', n: 1, category: 'old' })
})

t.test('options say which columns, which are numbers and where they go', async t => {
  const { stage } = await enrich(t, { columns: ['price'], numbers: ['price'], into: 'product', by: 'line.sku' })
  const of = (sku: string) => eventOf(stage.process(decoded({ line: { sku } }), context)).value
  t.same(of('A1'), { line: { sku: 'A1' }, product: { price: 10.5 } })
  t.same(of('A2'), { line: { sku: 'A2' }, product: { price: null } })
})

t.test('a member named __proto__ stays a member', async t => {
  const { stage } = await enrich(t)
  const value = JSON.parse('{"sku":"A1","__proto__":{"category":"forged"}}') as object
  const out = eventOf(stage.process(decoded(value), context)).value as object
  t.equal(Object.getPrototypeOf(out), Object.prototype)
  t.same(Object.keys(out).sort(), ['__proto__', 'category', 'price', 'sku'])
})

t.test('a JSON table keeps its types', async t => {
  const { stage } = await enrich(t, { file: 'products.json' })
  t.same(eventOf(stage.process(decoded({ sku: 'A1' }), context)).value, { sku: 'A1', category: 'mugs', price: 10.5 })
})

t.test('an event without a row passes, is dropped or is rejected, as configured', async t => {
  for (const event of [decoded({ sku: 'B9' }), decoded({}), decoded({ sku: null }), decoded({ sku: 'toString' })]) {
    t.equal((await enrich(t)).stage.process(event, context), event)
    t.equal(told((await enrich(t, { missing: 'drop' })).stage.process(event, context)), 'drop:no_row')
    t.match((await enrich(t, { missing: 'reject' })).stage.process(event, context), {
      reason: 'no_row',
      detail: 'no row for what is at sku',
    })
  }
})

t.test('other types are left alone', async t => {
  const { stage } = await enrich(t, { types: ['order'], missing: 'drop' })
  const other = decoded({ sku: 'A1' }, { type: 'refund' })
  t.equal(stage.process(other, context), other)
  t.match(stage.process(decoded({ sku: 'A1' }), context), { value: { category: 'mugs' } })
})

t.test('a value without fields is rejected', async t => {
  const { stage } = await enrich(t)
  for (const value of [undefined, null, 'A1', ['A1']]) {
    t.equal(told(stage.process(decoded(value), context)), 'reject:not_object')
  }
})

t.test('a changed table is taken over, a broken one is not, and both are said once', async t => {
  const notices: Notice[] = []
  const { stage, file } = await enrich(t, { reloadEvery: '5ms' }, csv, notices)
  const category = () =>
    (eventOf(stage.process(decoded({ sku: 'A1' }), context)).value as { category: string }).category
  await replace(file, 'sku,category\nA1,cups\n')
  await eventually('the new table', () => category() === 'cups')
  t.same(notices, [{ level: 'info', fields: { file, rows: 1 }, sentence: 'table reloaded' }])
  await replace(file, 'sku,category\nA1,one\nA1,two\n')
  await eventually('the warning', () => notices.length === 2)
  t.match(notices[1], { level: 'warn', fields: { file, reason: 'row 2 repeats a key of column "sku"' } })
  t.equal(category(), 'cups')
})

t.test('a table that cannot be used stops the start', async t => {
  await t.rejects(enrich(t, {}, 'id\n'), { code: 'pipeline_invalid', message: /there is no column "sku"/ })
  await t.rejects(enrich(t, { file: 'nowhere.csv' }), { code: 'pipeline_invalid', message: /ENOENT/ })
})

t.test('options that cannot work are problems', t => {
  t.same(enrichTable({ ...options, file: 'a.xlsx', by: 'a.', reloadEvery: '0s' }).problems, [
    'file must end in .csv or .json, got "a.xlsx"',
    'reloadEvery must be at least "1ms"',
    'by must be names joined by single dots, got "a."',
  ])
  t.same(enrichTable({ ...options, reloadEvery: '24d' }).problems, [])
  t.same(enrichTable({ ...options, reloadEvery: '2073600001ms' }).problems, [
    'reloadEvery must be a duration such as "10m", at most "24d", got "2073600001ms"',
  ])
  t.end()
})
