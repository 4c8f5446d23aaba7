/** Reads a table of rows, each with a key, from CSV or JSON text. */
import { parse } from 'csv-parse/sync'

export type Row = Readonly<Record<string, unknown>>

export interface TableShape {
  /** Column whose values name the rows. */
  readonly key: string
  /** Columns to keep; all but the key when undefined. */
  readonly columns: readonly string[] | undefined
  /** Columns of a CSV file that hold numbers. */
  readonly numbers: readonly string[]
}

/**
 * Rows by key. Throws an `Error` that says what is wrong: a column that is not there, a row without a key, a key that comes
 * twice, a cell of a number column that is no number. JSON is a list of objects; CSV has its column names in the first line.
 */
export function readTable(text: string, format: 'csv' | 'json', shape: TableShape): Map<string, Row> {
  const records = format === 'csv' ? csvRecords(text, shape) : jsonRecords(text)
  const rows = new Map<string, Row>()
  records.forEach((record, index) => {
    const key = keyText(record[shape.key])
    if (key === undefined) throw new Error(`row ${index + 1} has nothing in column "${shape.key}"`)
    if (rows.has(key)) throw new Error(`row ${index + 1} repeats a key of column "${shape.key}"`)
    rows.set(key, Object.freeze(pick(record, shape)))
  })
  return rows
}

/** How a key is looked up: numbers and text that look the same are the same. `undefined` for what cannot be a key. */
export function keyText(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

function csvRecords(text: string, shape: TableShape): Row[] {
  const lines = parse(text, { bom: true, skip_empty_lines: true })
  const [names = [], ...rest] = lines
  for (const name of [shape.key, ...(shape.columns ?? []), ...shape.numbers]) {
    if (!names.includes(name)) throw new Error(`there is no column "${name}"`)
  }
  const numbers = new Set(shape.numbers)
  return rest.map((cells, index) =>
    Object.fromEntries(
      names.map((name, at) => [name, numbers.has(name) ? cellNumber(cells[at]!, name, index + 1) : cells[at]!]),
    ),
  )
}

/** An empty cell is null: 0 would be a claim. */
function cellNumber(cell: string, column: string, row: number): number | null {
  if (cell === '') return null
  if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(cell)) throw new Error(`row ${row} has no number in column "${column}"`)
  return Number(cell)
}

function jsonRecords(text: string): Row[] {
  const records: unknown = JSON.parse(text)
  if (!Array.isArray(records)) throw new Error('must be a list of objects')
  records.forEach((record: unknown, index) => {
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw new Error(`row ${index + 1} must be an object`)
    }
  })
  return records as Row[]
}

function pick(record: Row, { key, columns }: TableShape): Record<string, unknown> {
  const names = columns ?? Object.keys(record).filter(name => name !== key)
  return Object.fromEntries(names.filter(name => Object.hasOwn(record, name)).map(name => [name, record[name]]))
}
