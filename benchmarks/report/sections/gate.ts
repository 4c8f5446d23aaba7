/** The ratios that a change may not make worse. */
import { entriesAt, numberAt } from '../figures.js'
import { markdownTable } from '../markdown.js'
import type { Render } from '../section.js'

const columns = [
  { head: 'ratio of processor time' },
  { head: 'median', digits: 3 },
  { head: 'least', digits: 3 },
  { head: 'most', digits: 3 },
  { head: 'baseline', digits: 3 },
]

export const gate: Render = ({ result }) => {
  const rows = entriesAt(result, 'ratios').map(([name, ratio]) => [
    name,
    ...['median', 'least', 'most', 'baseline'].map(figure => numberAt(ratio, figure)),
  ])
  return { markdown: markdownTable(columns, rows), plots: [] }
}
