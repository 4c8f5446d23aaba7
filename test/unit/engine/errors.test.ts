import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { errorTable, MillraceError, messageOf, type ErrorCode } from '../../../engine/errors.js'

const codes = Object.keys(errorTable) as ErrorCode[]
const page = fileURLToPath(new URL('../../../../docs/errors.md', import.meta.url))

test('every code has a name, an action and a meaning', async t => {
  for (const code of codes) {
    t.match(code, /^[a-z]+(_[a-z]+)*$/)
    t.ok(['retry', 'dead_letter', 'halt', 'stop'].includes(errorTable[code].action), code)
    t.match(errorTable[code].meaning, /^[A-Z].*\.$/, code)
  }
})

test('an error knows what its code decides', async t => {
  for (const code of codes) {
    const error = new MillraceError(code, 'text')
    t.equal(error.action, errorTable[code].action)
    t.equal(error.isHalt, errorTable[code].action === 'halt')
  }
})

test('an error keeps its cause and its lines', async t => {
  const cause = new Error('why')
  const error = new MillraceError('config_invalid', 'two problems', { cause, lines: ['one', 'two'] })
  t.equal(error.cause, cause)
  t.strictSame(error.lines, ['one', 'two'])
  t.strictSame(new MillraceError('fenced', 'x').lines, [])
  t.notOk('cause' in new MillraceError('fenced', 'x'))
})

test('anything thrown has a text', async t => {
  t.equal(messageOf(new Error('text')), 'text')
  t.equal(messageOf('text'), 'text')
  t.equal(messageOf(undefined), 'undefined')
})

test('the page of errors and the table name the same codes', { skip: !existsSync(page) }, async t => {
  const text = readFileSync(page, 'utf8')
  for (const code of codes) t.match(text, new RegExp(`^#+ .*\\b${code}\\b`, 'm'), `${code} has a heading`)
  const headings = [...text.matchAll(/^#+ `?([a-z]+(?:_[a-z]+)*)`?$/gm)].map(match => match[1]!)
  for (const heading of headings) t.ok(heading in errorTable, `${heading} is a code`)
})
