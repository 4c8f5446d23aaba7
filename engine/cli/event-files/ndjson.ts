/** A JSON value a line. The line is published as it stands, not as it would be written again. */
import type { FileEntry } from './event-file.js'

/** NATS takes a megabyte a message unless told otherwise; far longer lines are not events but files without line ends. */
export const maxLineBytes = 8 * 1024 * 1024

const newline = 0x0a
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** Blank lines are passed over. */
export async function* readNdjson(chunks: AsyncIterable<Buffer>): AsyncGenerator<FileEntry> {
  let line = 0
  for await (const bytes of splitLines(chunks)) {
    line++
    if (bytes === undefined) {
      yield { line, problem: `is longer than ${maxLineBytes} bytes` }
      continue
    }
    const text = line === 1 && bytes.indexOf(byteOrderMark) === 0 ? bytes.subarray(byteOrderMark.length) : bytes
    const trimmed = text.at(-1) === 0x0d ? text.subarray(0, -1) : text
    if (trimmed.length > 0) yield parse(line, trimmed)
  }
}

function parse(line: number, payload: Buffer): FileEntry {
  try {
    return { line, value: JSON.parse(payload.toString()), payload }
  } catch {
    // The parser's text quotes the line, which may be personal.
    return { line, problem: 'is not JSON' }
  }
}

/** Lines without their ends; `undefined` for one that is too long to be held. */
async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer | undefined> {
  let held: Buffer[] = []
  let heldBytes = 0
  const take = (last: Buffer): Buffer | undefined => {
    const whole =
      heldBytes + last.length > maxLineBytes ? undefined : held.length === 0 ? last : Buffer.concat([...held, last])
    held = []
    heldBytes = 0
    return whole
  }
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      yield take(chunk.subarray(start, end))
      start = end + 1
    }
    const rest = chunk.subarray(start)
    heldBytes += rest.length
    // Of a line that is too long only the length is still of interest.
    if (heldBytes > maxLineBytes) held = []
    else if (rest.length > 0) held.push(rest)
  }
  if (heldBytes > 0) yield take(Buffer.alloc(0))
}
