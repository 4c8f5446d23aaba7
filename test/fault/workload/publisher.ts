/**
 * Publishes at a steady rate whatever the broker does: an event that is not acknowledged in time is sent again under the same
 * message id, so that the broker keeps it once. Waiting events are bounded; past the bound no new ones are made.
 */
import { createInbox, headers, type NatsConnection, type Subscription } from 'nats'
import type { GeneratedEvent, Generator } from './generator.js'
import type { Ledger } from './ledger.js'

interface Waiting {
  readonly event: GeneratedEvent
  sentAt: number
}

const tickMs = 10
const resendAfterMs = 3_000
/** Some seconds at full rate: more would be a broker that does not come back. */
const mostWaiting = 400_000
/** A broker that comes back is not drowned. */
const mostResentPerTick = 500

export class LoadPublisher {
  readonly #waiting = new Map<number, Waiting>()
  readonly #inbox = createInbox()
  readonly #subscription: Subscription
  #timer: NodeJS.Timeout | undefined
  #made = 0
  #due = 0
  #tickedAt = 0

  constructor(
    private readonly connection: NatsConnection,
    private readonly generator: Generator,
    private readonly ledger: Ledger,
  ) {
    this.#subscription = connection.subscribe(`${this.#inbox}.*`, {
      callback: (_error, message) => this.#acknowledged(message.subject, message.string()),
    })
  }

  /** Events made so far. */
  get made(): number {
    return this.#made
  }

  /** Events that are not acknowledged. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Publishes `rate` events a second until `finish`. */
  start(rate: number): void {
    this.#tickedAt = performance.now()
    this.#timer ??= setInterval(() => this.#tick(rate), tickMs)
  }

  /** Makes no new events; those that are not acknowledged are still sent again. */
  pause(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#timer = setInterval(() => this.#resend(), tickMs)
  }

  /** Makes this many events at once. */
  publish(count: number): void {
    for (let i = 0; i < count; i++) this.#make()
    this.#timer ??= setInterval(() => this.#resend(), tickMs)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#subscription.unsubscribe()
  }

  #tick(rate: number): void {
    const now = performance.now()
    // After a pause of this process the missed events are not made up for.
    this.#due += (rate * Math.min(now - this.#tickedAt, 200)) / 1_000
    this.#tickedAt = now
    for (; this.#due >= 1; this.#due--) if (this.#waiting.size < mostWaiting) this.#make()
    this.#resend()
  }

  #make(): void {
    const number = this.#made++
    const waiting = { event: this.generator.next(Date.now()), sentAt: performance.now() }
    this.#waiting.set(number, waiting)
    this.#send(number, waiting)
  }

  #send(number: number, waiting: Waiting): void {
    waiting.sentAt = performance.now()
    const header = headers()
    header.set('Nats-Msg-Id', this.ledger.messageId(number))
    const { subject, payload } = waiting.event
    this.connection.publish(subject, payload, { headers: header, reply: `${this.#inbox}.${number}` })
  }

  /** Oldest first: a map keeps the order of insertion, and sending again moves an event to its end. */
  #resend(): void {
    const before = performance.now() - resendAfterMs
    let count = 0
    for (const [number, waiting] of this.#waiting) {
      if (waiting.sentAt > before || count++ === mostResentPerTick) return
      this.#waiting.delete(number)
      this.#waiting.set(number, waiting)
      this.#send(number, waiting)
    }
  }

  #acknowledged(subject: string, reply: string): void {
    // An empty answer: nobody takes the subject now. An error: not stored now.
    if (!reply.includes('"seq"') || reply.includes('"error"')) return
    const number = Number(subject.slice(this.#inbox.length + 1))
    if (this.#waiting.delete(number)) this.ledger.acknowledge(number)
  }
}
