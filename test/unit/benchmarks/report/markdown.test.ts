import t from 'tap'
import { image, markdownTable } from '../../../../benchmarks/report/markdown.js'

t.test('a table is aligned, numbers to the right with their digits', async t => {
  const columns = [{ head: 'name' }, { head: 'rate', digits: 0 }, { head: 'ms', digits: 2 }]
  const rows = [
    ['Millrace', 61_234.4, 1.5],
    ['a|b', undefined, undefined],
  ]
  t.equal(
    markdownTable(columns, rows),
    [
      '| name     |   rate |   ms |',
      '| -------- | -----: | ---: |',
      '| Millrace | 61,234 | 1.50 |',
      '| a\\|b     |        |      |',
      '',
    ].join('\n'),
  )
})

t.test('an image has words for those who do not see it', async t => {
  t.equal(image('Rate [all]', 'benchmarks/a.svg'), '![Rate all](benchmarks/a.svg)\n')
})
