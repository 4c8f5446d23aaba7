/** What a profile takes in Redis and in the process. */
import { entriesAt, numberAt, objectAt, textAt } from '../figures.js'
import { markdownTable } from '../markdown.js'
import { blocks, type Render } from '../section.js'

/** Rows of `{ name: { words, value, unit } }`, bounds last. */
export const memory: Render = ({ result }) => {
  const rows = entriesAt(result, 'figures').flatMap(([, figure]) => {
    const [what, unit, value] = [textAt(figure, 'what'), textAt(figure, 'unit'), numberAt(figure, 'value')]
    return what === undefined || value === undefined ? [] : [[what, value, unit]]
  })
  const bounds = entriesAt(result, 'bounds').map(([, bound]) => {
    const most = numberAt(bound, 'most')
    const measured = numberAt(bound, 'measured')
    const verdict = most === undefined || measured === undefined ? undefined : measured <= most ? 'yes' : 'no'
    return [textAt(bound, 'what'), measured, most, verdict]
  })
  const boundColumns = [
    { head: 'bound' },
    { head: 'measured MB', digits: 0 },
    { head: 'at most MB', digits: 0 },
    { head: 'held' },
  ]
  return {
    markdown: blocks(
      markdownTable([{ head: '' }, { head: 'measured', digits: 0 }, { head: 'unit' }], rows),
      objectAt(result, 'bounds') === undefined ? '' : markdownTable(boundColumns, bounds),
    ),
    plots: [],
  }
}
