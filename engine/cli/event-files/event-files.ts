/** Reads files of events one by one: memory does not grow with the file. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { extname } from 'node:path'
import { readAvro, type Fingerprint } from './avro.js'
import { readCsv } from './csv.js'
import type { FileEntry } from './event-file.js'
import { readNdjson } from './ndjson.js'

export const fileFormats = ['ndjson', 'csv', 'avro'] as const
export type FileFormat = (typeof fileFormats)[number]

export interface ReadOptions {
  readonly format: FileFormat
  /** How payloads are written; Avro only from Avro files, whose schema it needs. */
  readonly as: 'json' | 'avro'
  /** CSV columns whose values are numbers. */
  readonly numeric: readonly string[]
  readonly fingerprint: Fingerprint
}

export interface EventFile {
  /** Throws when the file as a whole cannot be read: no header, cut off, unknown compression. */
  readonly entries: AsyncIterable<FileEntry>
  /** How much has been read, 0 to 1. */
  share(): number
}

/** By the end of the name: `.ndjson`, `.jsonl`, `.json`, `.csv`, `.avro`. */
export function formatOf(path: string): FileFormat | undefined {
  const formats: Record<string, FileFormat> = {
    '.ndjson': 'ndjson',
    '.jsonl': 'ndjson',
    '.json': 'ndjson',
    '.csv': 'csv',
    '.avro': 'avro',
  }
  return formats[extname(path).toLowerCase()]
}

/** Rejects when there is no such file. */
export async function openEventFile(path: string, options: ReadOptions): Promise<EventFile> {
  const file = await open(path)
  const { size } = await file.stat()
  // The end of an Avro file tells whether it is whole; looked at before anything is published.
  const tail = Buffer.alloc(Math.min(16, size))
  if (options.format === 'avro') await file.read(tail, 0, tail.length, size - tail.length)
  await file.close()
  const stream = createReadStream(path)
  const entries = {
    ndjson: () => readNdjson(stream),
    csv: () => readCsv(stream, options.numeric),
    avro: () => readAvro(stream, { ...options, tail }),
  }[options.format]()
  return { entries, share: () => (size === 0 ? 1 : stream.bytesRead / size) }
}
