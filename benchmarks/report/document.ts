/**
 * The page and its plots, from the template and the saved results alone. The template has the words; a line
 * `<!-- figures: <question> -->` in it becomes what was measured for that question, or says that nothing was, and
 * `<!-- questions -->` a table of all questions.
 */
import { markdownTable } from './markdown.js'
import type { SavedResult } from './saved-results.js'
import { blocks, type Plot, type Render } from './section.js'
import { ceilings, micro, replicas, runtimes } from './sections/costs.js'
import { comparison } from './sections/comparison.js'
import { drains } from './sections/drains.js'
import { gate } from './sections/gate.js'
import { growth } from './sections/growth.js'
import { latency } from './sections/latency.js'
import { memory } from './sections/memory.js'
import { publishedTable, type PublishedFigure } from './sections/published.js'

/** What the page says about a question without any result. */
export interface Asked {
  readonly name: string
  readonly asks: string
  /** Asked when none is named. */
  readonly isUsual: boolean
}

/** Everything the page is made of. */
export interface ReportSources {
  readonly template: string
  readonly results: ReadonlyMap<string, SavedResult>
  readonly published: readonly PublishedFigure[]
  readonly questions: readonly Asked[]
}

export interface Report {
  readonly markdown: string
  readonly plots: readonly Plot[]
}

const renders: Readonly<Record<string, Render>> = {
  personalization: comparison,
  yahoo: drains,
  shufflebench: drains,
  nexmark: drains,
  latency,
  pipeline: ceilings,
  replicas,
  micro,
  runtimes,
  memory,
  growth,
  gate,
}

const placeholder = /^<!-- figures: (\S+) -->\n/gm
const notMeasured = 'Not measured yet.\n'

/** Throws when a question has no place in the template, or the template a place for what is no question. */
export function renderReport({ template, results, published, questions }: ReportSources): Report {
  const plots: Plot[] = []
  const shown = new Set<string>()
  const markdown = template
    .replace('<!-- questions -->\n', () => questionTable(questions))
    .replace(placeholder, (_, question: string) => {
      if (question === 'published') return publishedTable(published)
      const render = renders[question]
      if (render === undefined) throw new Error(`the template has a place for "${question}", which nothing can show`)
      shown.add(question)
      const saved = results.get(question)
      const section = saved && render(saved)
      if (saved === undefined || section === undefined || section.markdown === '') return notMeasured
      plots.push(...section.plots)
      return blocks(provenance(saved), section.markdown)
    })
  const homeless = [...questions.map(({ name }) => name), ...results.keys()].filter(name => !shown.has(name))
  if (homeless.length > 0) throw new Error(`the template has no place for ${[...new Set(homeless)].join(', ')}`)
  return { markdown, plots }
}

function questionTable(questions: readonly Asked[]): string {
  const rows = questions.map(({ name, asks, isUsual }) => [isUsual ? `**${name}**` : name, asks])
  return markdownTable([{ head: 'question' }, { head: 'asks' }], rows)
}

/** When and where the figures below it were taken. */
function provenance({ date, commit, machine, versions }: SavedResult): string {
  const { cores, cpu, memoryGb, node, loadBefore } = machine
  const place = [`${String(cores)} cores (${String(cpu)})`, `${String(memoryGb)} GB`, `Node ${String(node)}`, versions]
  if (typeof loadBefore === 'number') place.push(`load before the start ${loadBefore}`)
  const measured = commit === '' ? date.slice(0, 10) : `${date.slice(0, 10)} at ${commit}`
  return `Measured ${measured} on ${place.filter(part => part !== '').join(', ')}.`
}
