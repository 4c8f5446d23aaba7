/**
 * NATS as it is written on the wire (the client protocol of its documentation), for the load generator: all messages of a run are
 * encoded before it starts, so that sending one costs a part of a `write` and not a client's work.
 */
import type { Message } from '../workloads/workload.js'

/** One publish to a stream, with its message id; the acknowledgement goes to `reply`. */
export function encodePublish({ subject, payload, messageId }: Message, reply: string): Buffer {
  const header = `NATS/1.0\r\nNats-Msg-Id: ${messageId}\r\n\r\n`
  const line = `HPUB ${subject} ${reply} ${header.length} ${header.length + payload.length}\r\n`
  return Buffer.concat([Buffer.from(line + header), payload, lineEnd])
}

/** What a client says first, so that acknowledgements come to `reply`. */
export function greeting(reply: string): string {
  const options = { verbose: false, pedantic: false, headers: true, no_responders: true, lang: 'bench', version: '1' }
  return `CONNECT ${JSON.stringify(options)}\r\nSUB ${reply} 1\r\nPING\r\n`
}

export const pong = 'PONG\r\n'

const lineEnd = Buffer.from('\r\n')

/** Reads what the server sends. Messages can only be acknowledgements, and must come in the order of the stream. */
export class AckReader {
  /** Messages that are stored. */
  acknowledged = 0
  /** Stream sequence of the last one, 0 before the first. */
  lastSeq = 0
  /** Why the run cannot be used: something was refused, lost, or stored out of order. */
  failure: string | undefined
  #rest: Buffer = Buffer.alloc(0)

  /** `told` is called for each `PING` and `PONG`. */
  constructor(private readonly told: (what: 'PING' | 'PONG') => void) {}

  feed(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (;;) {
      const end = bytes.indexOf(lineEnd, at)
      if (end === -1) break
      const line = bytes.toString('latin1', at, end)
      const next = end + lineEnd.length
      const size = bodyBytes(line)
      if (next + size > bytes.length) break
      this.#take(line, size === 0 ? '' : bytes.toString('latin1', next, next + size))
      at = next + size
    }
    this.#rest = bytes.subarray(at)
  }

  #take(line: string, body: string): void {
    if (line === 'PING' || line === 'PONG') this.told(line)
    else if (line.startsWith('MSG ')) this.#acknowledge(body)
    // A message with headers and no body: no stream takes the subject.
    else if (line.startsWith('HMSG ')) this.failure ??= body.split('\r\n')[0]!
    else if (line.startsWith('-ERR')) this.failure ??= line
  }

  /** `{"stream":"EVENTS","seq":12}`, with `"duplicate":true` or `"error"` when it is not stored now. */
  #acknowledge(body: string): void {
    const seq = Number(/"seq": ?(\d+)/.exec(body)?.[1])
    if (body.includes('"error"') || body.includes('"duplicate"')) this.failure ??= body.trim()
    else if (this.lastSeq > 0 && seq !== this.lastSeq + 1) this.failure ??= `stored at ${seq} after ${this.lastSeq}`
    this.lastSeq = seq
    this.acknowledged++
  }
}

/** What follows a line: a message's size is its last word, and a line end comes after it. */
function bodyBytes(line: string): number {
  if (!line.startsWith('MSG ') && !line.startsWith('HMSG ')) return 0
  return Number(line.slice(line.lastIndexOf(' ') + 1)) + lineEnd.length
}
