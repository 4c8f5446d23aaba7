import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readBaseline, writeBaseline } from '../../../../benchmarks/gate/baseline.js'

const baseline = { 'engine / ceilings': 1.25, 'fold / codec': 4.5, 'engine / codec': 10 }

t.test('a baseline comes back for the major version of Node that it was written by', async t => {
  const file = join(t.testdir(), 'baseline.json')
  t.equal(await readBaseline(file, 'v20.1.0'), undefined)
  await writeBaseline(file, 'v20.1.0', baseline)
  await writeBaseline(file, 'v22.0.0', { ...baseline, 'fold / codec': 4.12345 })
  t.strictSame(await readBaseline(file, 'v20.19.5'), baseline)
  t.match(await readBaseline(file, 'v22.3.0'), { 'fold / codec': 4.123 })
  t.equal(await readBaseline(file, 'v24.0.0'), undefined)
})

t.test('a baseline that has no number is refused, not passed', async t => {
  const file = join(
    t.testdir({ 'baseline.json': '{"20":{"engine / ceilings":1,"engine / codec":2}}' }),
    'baseline.json',
  )
  await t.rejects(readBaseline(file, 'v20.0.0'), { message: /"fold \/ codec" .* must be above zero, got undefined/ })
})

t.test('the file is written as the formatter would', async t => {
  const file = join(t.testdir(), 'baseline.json')
  await writeBaseline(file, 'v20.1.0', baseline)
  t.equal(await readFile(file, 'utf8'), `${JSON.stringify({ 20: baseline }, null, 2)}\n`)
})
