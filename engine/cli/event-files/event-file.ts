/** What a file of events consists of, whatever its format. */

/** One event. */
export interface FileEvent {
  /** Line of the file, or number of the record in an Avro file; from 1. */
  readonly line: number
  /** For finding key, id and type in it. */
  readonly value: unknown
  readonly payload: Uint8Array
}

/** A line that is no event; reading goes on behind it. */
export interface BadLine {
  readonly line: number
  /** `is not JSON`; never what the line says. */
  readonly problem: string
}

export type FileEntry = FileEvent | BadLine
