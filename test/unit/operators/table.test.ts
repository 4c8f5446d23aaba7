import { readFileSync } from 'node:fs'
import t from 'tap'
import { defineOperator, text } from '../../../engine/index.js'
import { operators } from '../../../operators/index.js'
import { renderTable } from '../../../operators/table.js'

t.test('docs/operators.md says what the declarations say', t => {
  // After a change: npm run docs
  t.equal(readFileSync('docs/operators.md', 'utf8'), renderTable(operators))
  t.end()
})

t.test('an operator’s section holds all it declares', t => {
  const operator = defineOperator({
    name: 'wave_hand',
    summary: 'Wave.',
    options: {
      hand: text({ doc: 'left | right.', fallback: 'left' }),
      whom: text({ doc: 'Who.' }),
      when: text({ doc: 'When.', optional: true }),
    },
    drops: ['no_hand', 'tired'],
    cost: 'An arm.',
    create: () => ({ process: event => event }),
  })
  const [, section] = renderTable([operator]).split('## ')
  t.equal(
    section,
    `wave_hand

Wave.

| option | kind | default | meaning |
| --- | --- | --- | --- |
| \`hand\` | text | \`left\` | left \\| right. |
| \`whom\` | text | required | Who. |
| \`when\` | text | none | When. |

- Drops for: \`no_hand\`, \`tired\`
- Rejects for: nothing
- Cost: An arm.
`,
  )
  t.end()
})
