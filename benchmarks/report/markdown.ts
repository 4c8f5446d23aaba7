/** Markdown as the repository's formatter writes it, so that a generated page needs no exception from it. */

/** A number's digits after the point: as many as mean something. */
export interface Column {
  readonly head: string
  /** For numbers; without it a cell is text. */
  readonly digits?: number
}

/** What was not measured has no figure. */
export type Cell = string | number | undefined

export function markdownTable(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map(row => columns.map(({ digits }, at) => written(row[at], digits)))
  const widths = columns.map(({ head }, at) => Math.max(3, head.length, ...cells.map(row => row[at]!.length)))
  const line = (parts: readonly string[]) =>
    `| ${parts.map((part, at) => (columns[at]!.digits === undefined ? part.padEnd(widths[at]!) : part.padStart(widths[at]!))).join(' | ')} |\n`
  const rule = columns.map(({ digits }, at) =>
    digits === undefined ? '-'.repeat(widths[at]!) : `${'-'.repeat(widths[at]! - 1)}:`,
  )
  return line(columns.map(({ head }) => head)) + line(rule) + cells.map(line).join('')
}

function written(cell: Cell, digits = 0): string {
  if (cell === undefined) return ''
  if (typeof cell === 'string') return cell.replaceAll('|', '\\|')
  return cell.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

export function image(alternative: string, file: string): string {
  return `![${alternative.replace(/[[\]]/g, '')}](${file})\n`
}
