import t from 'tap'
import { readSavedResults } from '../../../../benchmarks/report/saved-results.js'

const machine = { cores: 2, cpu: 'a cpu' }
const saved = (question: string) => ({
  question,
  date: '2026-01-02',
  commit: 'abc1234',
  machine,
  versions: 'nats 1',
  result: { a: 1 },
})

t.test('results are found by their question', async t => {
  const folder = t.testdir({ 'yahoo.json': JSON.stringify(saved('yahoo')), 'notes.txt': 'not a result' })
  t.strictSame([...(await readSavedResults(folder))], [['yahoo', saved('yahoo')]])
})

t.test('without a folder nothing has been measured', async t => {
  t.equal((await readSavedResults(`${t.testdir()}/absent`)).size, 0)
})

t.test('versions may stand in the result itself', async t => {
  const { versions, ...rest } = saved('yahoo')
  const folder = t.testdir({ 'yahoo.json': JSON.stringify({ ...rest, result: { versions } }) })
  t.equal((await readSavedResults(folder)).get('yahoo')?.versions, 'nats 1')
})

t.test('what is no result of the question it is named after is refused', async t => {
  const wrong = { other: saved('yahoo'), empty: {}, bare: { question: 'bare' } }
  for (const [name, content] of Object.entries(wrong)) {
    const folder = t.testdir({ [`${name}.json`]: JSON.stringify(content) })
    await t.rejects(readSavedResults(folder), { message: new RegExp(`"${name}.json" must hold a result`) })
  }
})
