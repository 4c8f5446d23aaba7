import t from 'tap'
import { ManualClock } from '../../../../engine/clock.js'
import { grouped, progressBar, styles, table } from '../../../../engine/cli/terminal.js'

function stream(isTTY?: boolean, columns = 80) {
  const written: string[] = []
  return { write: (text: string) => written.push(text), written, columns, ...(isTTY === undefined ? {} : { isTTY }) }
}

t.test('colours appear on a terminal that wants them, and nowhere else', async t => {
  const red = '\x1b[31mno\x1b[39m'
  t.equal(styles(stream(true), {})('red', 'no'), red)
  t.equal(styles(stream(true), { NO_COLOR: '' })('red', 'no'), red, 'an empty NO_COLOR says nothing')
  t.equal(styles(stream(true), { NO_COLOR: '1' })('red', 'no'), 'no')
  t.equal(styles(stream(true), { TERM: 'dumb' })('red', 'no'), 'no')
  t.equal(styles(stream(false), {})('red', 'no'), 'no')
  t.equal(styles(stream(), {})('red', 'no'), 'no')
})

t.test('progress is drawn on a terminal, at most ten times a second', async t => {
  const clock = new ManualClock()
  const out = stream(true)
  const bar = progressBar(out, clock)
  bar.update(0.5, 'half')
  bar.update(0.6, 'too soon')
  clock.advance(99)
  bar.update(0.6, 'too soon')
  clock.advance(1)
  bar.update(2, 'more than all')
  t.strictSame(out.written, [
    '\r\x1b[K[############............] half',
    '\r\x1b[K[########################] more than all',
  ])
})

t.test('progress writes nothing where it would only fill a log', async t => {
  const out = stream(false)
  const bar = progressBar(out, new ManualClock())
  bar.update(0.5, 'half')
  bar.clear()
  t.strictSame(out.written, [])
})

t.test('a cleared bar leaves an empty line and is drawn again at once', async t => {
  const out = stream(true)
  const bar = progressBar(out, new ManualClock())
  bar.clear()
  t.strictSame(out.written, [], 'nothing to clear yet')
  bar.update(0, 'a')
  bar.clear()
  bar.update(0, 'b')
  t.equal(out.written[1], '\r\x1b[K')
  t.match(out.written[2], /b$/)
})

t.test('a bar never wraps into a second line', async t => {
  const out = stream(true, 40)
  progressBar(out, new ManualClock()).update(1, 'x'.repeat(100))
  t.equal(out.written[0]!.replace('\r\x1b[K', '').length, 39)
})

t.test('a table puts columns under each other, numbers to the right', async t => {
  const text = table(
    [
      ['applied', 1234567],
      ['dropped', 5],
    ],
    ['what', 'count'],
  )
  t.equal(text, ['what         count', 'applied  1,234,567', 'dropped          5', ''].join('\n'))
})

t.test('a table of rows of different lengths, or of none, is still one', async t => {
  t.equal(table([['a'], ['b', 'c']]), 'a\nb  c\n')
  t.equal(table([], ['a', 'b']), 'a  b\n')
  t.equal(table([]), '')
})

t.test('numbers are grouped the same everywhere', async t => {
  t.equal(grouped(999), '999')
  t.equal(grouped(1000), '1,000')
})
