/** What is only for eyes: colours, a progress bar, tables. Colours and progress appear on a terminal and nowhere else. */
import type { Clock } from '../clock.js'

/** As much of a stream as is needed; `process.stdout` and `process.stderr` are two. */
export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** Codes of ECMA-48 (SGR) that start and end each style. */
const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const

export type Style = keyof typeof codes

/** Puts text into a style, or leaves it as it is where colours do not belong: see https://no-color.org. */
export function styles(
  stream: TextStream,
  env: Readonly<Record<string, string | undefined>>,
): (style: Style, text: string) => string {
  const isColoured = stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  return (style, text) => (isColoured ? `\x1b[${codes[style][0]}m${text}\x1b[${codes[style][1]}m` : text)
}

export interface ProgressBar {
  /** `share` from 0 to 1; the text stands behind the bar. */
  update(share: number, text: string): void
  /** Removes the bar, so that other text can be written; the next update draws it again. */
  clear(): void
}

const barWidth = 24
/** Faster than this nobody sees, and a slow terminal would hold up the work. */
const redrawMs = 100

/** One line that is drawn over and over; nothing at all unless the stream is a terminal. */
export function progressBar(stream: TextStream, clock: Clock): ProgressBar {
  if (stream.isTTY !== true) return { update: () => {}, clear: () => {} }
  let drawnAt = -Infinity
  return {
    update: (share, text) => {
      const now = clock.monotonicMs()
      if (now - drawnAt < redrawMs) return
      drawnAt = now
      const filled = Math.round(Math.min(Math.max(share, 0), 1) * barWidth)
      const line = `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${text}`
      stream.write(`\r\x1b[K${line.slice(0, (stream.columns ?? 80) - 1)}`)
    },
    clear: () => {
      if (drawnAt === -Infinity) return
      stream.write('\r\x1b[K')
      drawnAt = -Infinity
    },
  }
}

/** Rows with their columns under each other; columns of numbers stand to the right. What is not counted is given as a text of digits. */
export function table(rows: readonly (readonly (string | number)[])[], head?: readonly string[]): string {
  const columns = Math.max(head?.length ?? 0, ...rows.map(row => row.length))
  const shown = rows.map(row => row.map(cell => (typeof cell === 'number' ? grouped(cell) : cell)))
  const all = head === undefined ? shown : [head, ...shown]
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...all.map(row => (row[at] ?? '').length)))
  const isNumeric = widths.map(
    (_, at) => rows.length > 0 && rows.every(row => typeof row[at] === 'number' || /^\d+$/.test(row[at] ?? '')),
  )
  const lines = all.map(row =>
    widths
      .map((width, at) => (isNumeric[at] === true ? (row[at] ?? '').padStart(width) : (row[at] ?? '').padEnd(width)))
      .join('  ')
      .trimEnd(),
  )
  return lines.map(line => `${line}\n`).join('')
}

/** `1234567` to `1,234,567`, the same in every locale. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US')
}
