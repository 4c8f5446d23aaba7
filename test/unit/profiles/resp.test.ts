import t from 'tap'
import { encodeCommand } from '../../../profiles/resp.js'

t.test('a command is its number of parts, then the size in bytes and the bytes of each', async t => {
  t.equal(
    encodeCommand(['SET', 'k', Buffer.from([0, 255]), 12]).toString('latin1'),
    '*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\x00\xff\r\n$2\r\n12\r\n',
  )
  t.equal(encodeCommand(['', Buffer.alloc(0)]).toString(), '*2\r\n$0\r\n\r\n$0\r\n\r\n')
})

t.test('text is counted in bytes, wherever it leaves ASCII and however long it is', async t => {
  for (const text of [
    'é',
    'aé',
    '€uro',
    '\u{1f600}',
    'ü'.repeat(64),
    'x'.repeat(64),
    'x'.repeat(65),
    `${'x'.repeat(5_000)}ß`,
  ]) {
    const bytes = Buffer.from(text)
    const expected = Buffer.concat([Buffer.from(`*1\r\n$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')])
    t.ok(encodeCommand([text]).equals(expected), text.slice(0, 10))
  }
})

t.test('counts of every number of digits', async t => {
  for (const length of [9, 10, 99, 100, 1_000, 123_456]) {
    t.equal(
      encodeCommand([Buffer.alloc(length)])
        .toString('latin1', 0, 20)
        .split('\r\n')[1],
      `$${length}`,
    )
  }
  t.equal(encodeCommand(new Array<string>(1_001).fill('a')).toString('latin1', 0, 7), '*1001\r\n')
  t.equal(
    encodeCommand([-1.5, 1e21, 9_007_199_254_740_991]).toString(),
    '*3\r\n$4\r\n-1.5\r\n$5\r\n1e+21\r\n$16\r\n9007199254740991\r\n',
  )
})
