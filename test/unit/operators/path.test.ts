import t from 'tap'
import { Problems } from '../../../engine/index.js'
import { pathReader, verifyPath } from '../../../operators/path.js'

t.test('a path reads members, members of members and entries of lists', t => {
  const value = { id: 1, buyer: { id: 2 }, items: [{ sku: 'a' }] }
  t.equal(pathReader('id')(value), 1)
  t.equal(pathReader('buyer.id')(value), 2)
  t.equal(pathReader('items.0.sku')(value), 'a')
  t.end()
})

t.test('a path that leads nowhere gives undefined, whatever the value is', t => {
  for (const value of [undefined, null, 1, 'text', [], {}, { a: null }, { a: 'text' }, { a: { b: 1 } }]) {
    t.equal(pathReader('a.b.c')(value), undefined)
  }
  t.equal(pathReader('length')('text'), undefined, 'text has no members')
  t.end()
})

t.test('a path does not see what every object inherits', t => {
  for (const path of ['constructor', '__proto__', 'toString', 'constructor.name', 'a.constructor']) {
    t.equal(pathReader(path)({ a: {} }), undefined, path)
  }
  t.end()
})

t.test('a path with an empty name is a problem', t => {
  const problems = new Problems()
  for (const path of ['a', 'a.b', '.a', 'a.', 'a..b']) verifyPath('key', path, problems)
  t.same(problems.list, [
    'key must be names joined by single dots, got ".a"',
    'key must be names joined by single dots, got "a."',
    'key must be names joined by single dots, got "a..b"',
  ])
  t.end()
})
