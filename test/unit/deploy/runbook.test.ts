/** The runbook and the code name the same things. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { errorTable, type ErrorCode } from '../../../engine/errors.js'

const page = fileURLToPath(new URL('../../../../deploy/runbook.md', import.meta.url))
const skip = existsSync(page) ? false : 'the runbook is not here'
const halts = (Object.keys(errorTable) as ErrorCode[]).filter(code => errorTable[code].action === 'halt')

test('the runbook has a section for every halt and for nothing else', { skip }, async t => {
  const text = readFileSync(page, 'utf8')
  const headings = [...text.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading)
  t.strictSame(headings.sort(), [...halts].sort())
})

test('every link of the runbook leads to a heading', { skip }, async t => {
  const text = readFileSync(page, 'utf8')
  const links = [...text.matchAll(/\]\(([^)#]*)#([^)]+)\)/g)].map(([, file, anchor]) => ({
    file: file!,
    anchor: anchor!,
  }))
  t.ok(links.length > halts.length)
  for (const { file, anchor } of links) {
    const target = file === '' ? text : readFileSync(new URL(file, `file://${page}`), 'utf8')
    const anchors = [...target.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading!.toLowerCase().replaceAll(' ', '-'),
    )
    t.ok(anchors.includes(anchor), `${file}#${anchor}`)
  }
})
