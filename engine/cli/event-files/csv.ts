/** CSV with a header row. Values stay text, because nobody knows whether `007` is a number; named columns are numbers. */
import type { Readable } from 'node:stream'
import { parse, type CsvError } from 'csv-parse'
import type { BadLine, FileEntry } from './event-file.js'
import { maxLineBytes } from './ndjson.js'

interface CsvRecord {
  readonly info: { readonly lines: number }
  readonly record: Readonly<Record<string, string>>
}

/**
 * Published as JSON objects. Throws when the header row is missing or lacks a column that was named as numeric, and at a row
 * that does not end: what follows it cannot be told from it.
 */
export async function* readCsv(source: Readable, numeric: readonly string[]): AsyncGenerator<FileEntry> {
  const bad: BadLine[] = []
  let header: readonly string[] = []
  const parser = parse({
    bom: true,
    info: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: maxLineBytes,
    columns: (names: string[]) => (header = verified(names, numeric)),
    on_skip: error => {
      if (error !== undefined) bad.push({ line: error.lines as number, problem: problemOf(error) })
      return undefined
    },
  })
  source.once('error', error => parser.destroy(error))
  try {
    for await (const { info, record } of source.pipe(parser) as AsyncIterable<CsvRecord>) {
      // The parser reads ahead.
      while (bad[0] !== undefined && bad[0].line < info.lines) yield bad.shift()!
      yield convert(info.lines, record, numeric)
    }
  } finally {
    source.destroy()
  }
  yield* bad
  if (header.length === 0) throw new Error('has no header row')
}

function verified(names: readonly string[], numeric: readonly string[]): string[] {
  const missing = numeric.filter(name => !names.includes(name))
  if (missing.length > 0) throw new Error(`has no column ${missing.map(name => JSON.stringify(name)).join(', ')}`)
  const twice = names.filter((name, at) => names.indexOf(name) !== at)
  if (twice.length > 0) throw new Error(`has two columns ${JSON.stringify(twice[0])}`)
  return [...names]
}

function convert(line: number, record: CsvRecord['record'], numeric: readonly string[]): FileEntry {
  const value: Record<string, string | number> = { ...record }
  for (const name of numeric) {
    const text = record[name]!.trim()
    const number = Number(text)
    if (text === '' || !Number.isFinite(number)) return { line, problem: `${name} is not a number` }
    value[name] = number
  }
  return { line, value, payload: Buffer.from(JSON.stringify(value)) }
}

/** The parser's texts quote the line. Throws what ends the reading. */
function problemOf({ code, records }: CsvError): string {
  if (code === 'CSV_QUOTE_NOT_CLOSED') throw new Error(`has a quote that is never closed, after ${records} good rows`)
  if (code === 'CSV_MAX_RECORD_SIZE') {
    throw new Error(`has a row longer than ${maxLineBytes} bytes, after ${records} good rows`)
  }
  if (code === 'CSV_RECORD_INCONSISTENT_COLUMNS') return 'has another number of values than the header row'
  return `is not CSV (${code.toLowerCase()})`
}
