import t from 'tap'
import { keyText, readTable } from '../../../operators/table-rows.js'

const shape = { key: 'sku', columns: undefined, numbers: [] }
const rows = (text: string, format: 'csv' | 'json' = 'csv', more: Partial<typeof shape> | object = {}) =>
  Object.fromEntries(readTable(text, format, { ...shape, ...more }))

t.test('a CSV table has its names in the first line and its rows by key', t => {
  t.same(rows('sku,name,stock\nA1,"Mug, blue",3\nA2,Plate,\n'), {
    A1: { name: 'Mug, blue', stock: '3' },
    A2: { name: 'Plate', stock: '' },
  })
  t.end()
})

t.test('a byte order mark, empty lines and Windows line ends do no harm', t => {
  t.same(rows('\ufeffsku,name\r\nA1,Mug\r\n\r\n'), { A1: { name: 'Mug' } })
  t.end()
})

t.test('only columns named as numbers become numbers, an empty cell null', t => {
  const text = 'sku,price,code\nA1,-1.50,007\nA2,,1\nA3,1e3,2\n'
  t.same(rows(text, 'csv', { numbers: ['price'] }), {
    A1: { price: -1.5, code: '007' },
    A2: { price: null, code: '1' },
    A3: { price: 1000, code: '2' },
  })
  for (const cell of ['free', '0x10', '1,5', ' 1', 'NaN', 'Infinity']) {
    t.throws(
      () => rows(`sku,price\nA1,1\nA2,"${cell}"\n`, 'csv', { numbers: ['price'] }),
      /row 2 has no number in column "price"/,
      cell,
    )
  }
  t.end()
})

t.test('a JSON table is a list of objects', t => {
  t.same(rows('[{"sku":"A1","price":1.5,"tags":["x"]},{"sku":2}]', 'json'), { A1: { price: 1.5, tags: ['x'] }, 2: {} })
  for (const text of ['{}', '[1]', '[null]', '[[]]', 'x']) t.throws(() => rows(text, 'json'), text)
  t.end()
})

t.test('columns says which to keep', t => {
  t.same(rows('sku,a,b\nA1,1,2\n', 'csv', { columns: ['b'] }), { A1: { b: '2' } })
  t.same(rows('[{"sku":"A1","a":1},{"sku":"A2","b":2}]', 'json', { columns: ['b', 'sku'] }), {
    A1: { sku: 'A1' },
    A2: { b: 2, sku: 'A2' },
  })
  t.end()
})

t.test('a table that contradicts itself or the options is refused', t => {
  t.throws(() => rows('sku,a\nA1,1\nA1,2\n'), /row 2 repeats a key of column "sku"/)
  t.throws(() => rows('sku,a\n,1\n'), /row 1 has nothing in column "sku"/)
  t.throws(() => rows('id,a\nA1,1\n'), /there is no column "sku"/)
  t.throws(() => rows('sku\nA1\n', 'csv', { columns: ['b'] }), /there is no column "b"/)
  t.throws(() => rows('sku\nA1\n', 'csv', { numbers: ['b'] }), /there is no column "b"/)
  t.throws(() => rows(''), /there is no column "sku"/)
  t.throws(() => rows('sku,a\nA1\n'), /Invalid Record Length/, 'a line cut short')
  t.throws(() => rows('[{"a":1}]', 'json'), /row 1 has nothing in column "sku"/)
  t.end()
})

t.test('rows are shared by events, so nobody can edit them', t => {
  t.ok(Object.isFrozen(readTable('sku,a\nA1,1\n', 'csv', shape).get('A1')))
  t.end()
})

t.test('text and numbers that look the same are the same key', t => {
  t.equal(keyText(7), keyText('7'))
  t.equal(keyText(7n), '7')
  for (const value of [undefined, null, '', true, {}, []]) t.equal(keyText(value), undefined)
  t.end()
})
