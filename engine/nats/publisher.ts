/**
 * Publishes to JetStream and collects the acknowledgements on one inbox subscription: about a tenth of what the client's own
 * `js.publish` costs, which makes a timer and a promise for each message.
 *
 * Order: messages go out in the order of the calls. When the connection is lost everything unacknowledged fails; whoever
 * called sends it again, in order, and the server recognizes what it already has by `Nats-Msg-Id`.
 */
import { createInbox, type Msg, type MsgHdrs, type NatsConnection, type Subscription } from 'nats'
import { MillraceError } from '../errors.js'
import { Queue } from '../queue.js'
import { followConnection } from './connection.js'

/**
 * Exactly one call per message or group: `undefined` when stored (or stored before), the failure otherwise. `streamSeq` is where
 * it is stored, of a group the last; 0 after a failure.
 */
export type Acknowledged = (failure: MillraceError | undefined, isDuplicate: boolean, streamSeq: number) => void

/** What is published in a group. */
export interface Publication {
  readonly subject: string
  readonly body: Uint8Array
  /** Header names and values in turn. */
  readonly fields: readonly string[]
}

export interface GroupOptions {
  /** The stream refuses what is not published on top of the last message that matches this. */
  readonly filter: string
  /** Stream sequence of that message; 0 when there is none. */
  readonly lastSeq: number
  /** As a fast batch, which is stored as far as it comes: a failure when that is not to its end. Otherwise as an atomic one. */
  readonly isFast: boolean
}

/** To be written with everything else of this turn. */
interface Outgoing {
  readonly subject: string
  readonly payload: Uint8Array
  readonly headers: MsgHdrs
  readonly token: number
  readonly reply: string | undefined
}

interface Unacknowledged {
  readonly sentAt: number
  /** Messages that the acknowledgement speaks of. */
  readonly count: number
  /** Undefined once it was called. */
  done: Acknowledged | undefined
}

const ackTimeoutMs = 5_000
/** Messages of a fast batch after which the server says how far it is; nobody waits for that. */
const maxFlow = 65_535
/** How that begins. */
const flowMark = '{"type":"ack"'

export class Publisher {
  readonly #inbox = createInbox()
  /** By token, which rise one by one; those at the front that are answered have left. */
  readonly #unacknowledged = new Queue<Unacknowledged>()
  /** Token of the first of them. */
  #first = 1
  #outgoing: Outgoing[] = []
  #isConnected = true
  #subscription: Subscription
  readonly #sweeper: NodeJS.Timeout

  constructor(private readonly connection: NatsConnection) {
    this.#subscription = this.#subscribe()
    void followConnection(connection, {
      lost: () => {
        this.#isConnected = false
        this.#failAll('the connection to NATS was lost')
      },
      back: () => {
        this.#isConnected = true
      },
    })
    this.#sweeper = setInterval(() => this.#sweep(), 1_000)
  }

  /** A refused subscription comes as an error without a message, and the client closes it. */
  #subscribe(): Subscription {
    const start = this.#inbox.length + 1
    return this.connection.subscribe(`${this.#inbox}.>`, {
      callback: (error, message) => error === null && this.#acknowledge(message, start),
    })
  }

  get isConnected(): boolean {
    return this.#isConnected
  }

  /** `fields` are header names and values in turn. The payload is not copied: do not change it before the acknowledgement. */
  publish(subject: string, payload: Uint8Array, fields: readonly string[], done: Acknowledged): void {
    if (!this.#isConnected) return refuse(done)
    const token = this.#expect(done)
    this.#send(subject, payload, headerOf(fields), token, `${this.#inbox}.${token}`)
  }

  /**
   * One message, or several that are stored in this order without anything missing in between; acknowledged once.
   */
  publishGroup(group: readonly Publication[], { filter, lastSeq, isFast }: GroupOptions, done: Acknowledged): void {
    const expected = ['Nats-Expected-Last-Subject-Sequence', String(lastSeq)]
    expected.push('Nats-Expected-Last-Subject-Sequence-Subject', filter)
    if (group.length === 1) {
      const [{ subject, body, fields }] = group as [Publication]
      return this.publish(subject, body, [...fields, ...expected], done)
    }
    if (!this.#isConnected) return refuse(done)
    const token = this.#expect(done, group.length)
    const batch = `${token}-${this.#inbox.slice(this.#inbox.indexOf('.') + 1)}`
    if (isFast) return this.#sendFast(group, expected, token, batch)
    group.forEach(({ subject, body, fields }, i) => {
      const isLast = i === group.length - 1
      const header = headerOf([
        ...fields,
        'Nats-Batch-Id',
        batch,
        'Nats-Batch-Sequence',
        String(i + 1),
        ...(i === 0 ? expected : []),
        ...(isLast ? ['Nats-Batch-Commit', '1'] : []),
      ])
      this.#send(subject, body, header, token, isLast ? `${this.#inbox}.${token}` : undefined)
    })
  }

  /** The server reads from the reply subject which batch, and that a message is its first, another one, or its last (NATS ADR-50). */
  #sendFast(group: readonly Publication[], expected: readonly string[], token: number, batch: string): void {
    const prefix = `${this.#inbox}.${batch}.${maxFlow}.fail`
    group.forEach(({ subject, body, fields }, i) => {
      const operation = i === group.length - 1 ? 2 : i === 0 ? 0 : 1
      const header = headerOf(i === 0 ? [...fields, ...expected] : fields)
      this.#send(subject, body, header, token, `${prefix}.${i + 1}.${operation}.$FI`)
    })
  }

  #expect(done: Acknowledged, count = 1): number {
    this.#unacknowledged.push({ sentAt: performance.now(), count, done })
    return this.#first + this.#unacknowledged.size - 1
  }

  /**
   * Several partitions decide in one turn of the event loop, each in a microtask of its own, after each of which the client would
   * write to the socket: most of what a small message costs. A tick comes when all of them are through.
   */
  #send(subject: string, payload: Uint8Array, headers: MsgHdrs, token: number, reply?: string): void {
    if (this.#outgoing.length === 0) process.nextTick(() => this.#flush())
    this.#outgoing.push({ subject, payload, headers, token, reply })
  }

  #flush(): void {
    const outgoing = this.#outgoing
    this.#outgoing = []
    for (const { subject, payload, headers, token, reply } of outgoing) {
      // Its failure was told, so it is sent again.
      if (this.#unacknowledged.at(token - this.#first)?.done === undefined) continue
      try {
        this.connection.publish(subject, payload, reply === undefined ? { headers } : { headers, reply })
      } catch (error) {
        this.#fail(token, new MillraceError('publish_failed', `cannot publish to "${subject}"`, { cause: error }))
      }
    }
  }

  close(): void {
    clearInterval(this.#sweeper)
    this.#failAll('the publisher is closed')
  }

  #acknowledge(message: Msg, start: number): void {
    const token = Number.parseInt(message.subject.slice(start, start + 16), 10)
    if (message.data.length === 0) {
      this.#fail(token, new MillraceError('publish_failed', 'no stream takes this subject'))
      return
    }
    // {"stream":"TRIGGERS","seq":1} or with "duplicate":true; parsed in full only when it is neither.
    const text = message.string()
    if (text.startsWith(flowMark)) return
    if (text.includes('"error":')) {
      this.#fail(token, new MillraceError('publish_failed', errorText(text)))
    } else if (!this.#isWhole(token, text)) {
      this.#fail(token, new MillraceError('publish_failed', 'not all messages of the batch have arrived'))
    } else {
      const at = text.indexOf('"seq":') + '"seq":'.length
      const streamSeq = Number.parseInt(text.slice(at, at + 20), 10)
      // All of a fast batch was repetition. A replicated stream calls that what a leader has only proposed, which may yet be lost.
      if (streamSeq === 0)
        this.#fail(token, new MillraceError('publish_failed', 'the broker stored nothing of the batch'))
      else this.#settle(token, undefined, text.includes('"duplicate":'), streamSeq)
    }
  }

  #isWhole(token: number, text: string): boolean {
    const count = this.#unacknowledged.at(token - this.#first)?.count ?? 1
    return count === 1 || text.includes(`"count":${count}}`)
  }

  #fail(token: number, failure: MillraceError): void {
    this.#settle(token, failure, false, 0)
  }

  #settle(token: number, failure: MillraceError | undefined, isDuplicate: boolean, streamSeq: number): void {
    const waiting = this.#unacknowledged.at(token - this.#first)
    const done = waiting?.done
    if (waiting === undefined || done === undefined) return
    waiting.done = undefined
    while (this.#unacknowledged.size > 0 && this.#unacknowledged.at(0)!.done === undefined) {
      this.#unacknowledged.shift()
      this.#first++
    }
    done(failure, isDuplicate, streamSeq)
  }

  /** Those that wait now; what their callers publish meanwhile is not among them. */
  #failAll(why: string): void {
    const last = this.#first + this.#unacknowledged.size - 1
    for (let token = this.#first; token <= last; token++) this.#fail(token, new MillraceError('publish_failed', why))
  }

  #sweep(): void {
    // Refused once; it may be allowed by now.
    if (this.#subscription.isClosed() && !this.connection.isClosed()) this.#subscription = this.#subscribe()
    const before = performance.now() - ackTimeoutMs
    // Answered ones leave the front, so it is the oldest that waits.
    for (let first = this.#unacknowledged.at(0); first !== undefined && first.sentAt <= before;) {
      this.#fail(this.#first, new MillraceError('publish_failed', `no acknowledgement within ${ackTimeoutMs} ms`))
      first = this.#unacknowledged.at(0)
    }
  }
}

function refuse(done: Acknowledged): void {
  queueMicrotask(() => done(new MillraceError('publish_failed', 'NATS is not connected'), false, 0))
}

/**
 * The client asks its headers object for nothing but these bytes (NATS ADR-4), and its own takes several times as long to make
 * them. The cast stands for that contract, which the integration tests hold.
 */
function headerOf(fields: readonly string[]): MsgHdrs {
  let text = 'NATS/1.0\r\n'
  for (let i = 0; i + 1 < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`
  const bytes = Buffer.from(`${text}\r\n`)
  return { encode: () => bytes } as unknown as MsgHdrs
}

function errorText(reply: string): string {
  try {
    const { error } = JSON.parse(reply) as { error?: { description?: string } }
    return error?.description ?? reply
  } catch {
    return reply
  }
}
