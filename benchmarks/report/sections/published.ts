/** Figures that others have published: quoted with their source, never measured here. */
import { markdownTable } from '../markdown.js'

/** A figure somebody else has measured. */
export interface PublishedFigure {
  readonly system: string
  readonly workload: string
  readonly figure: string
  readonly unit: string
  /** The figure divided by the cores it was measured on, in words where they are not stated. */
  readonly perCore: string
  readonly source: string
  readonly date: string
  readonly note: string
}

const columns = [
  { head: 'system' },
  { head: 'workload' },
  { head: 'figure' },
  { head: 'per core' },
  { head: 'source' },
  { head: 'note' },
]

export function publishedTable(published: readonly PublishedFigure[]): string {
  const rows = published.map(({ system, workload, figure, unit, perCore, source, date, note }) => [
    system,
    workload,
    `${figure} ${unit}`,
    perCore,
    `${source}, ${date}`,
    note,
  ])
  return markdownTable(columns, rows)
}
