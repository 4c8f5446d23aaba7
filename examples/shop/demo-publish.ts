/** Publishes the shop's events as a careful producer does: a bounded number on their way, every acknowledgement counted. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createInbox, headers, type Msg, type NatsConnection } from 'nats'
import type { ShopMessage } from './generator.js'

export interface PublishOptions {
  /** Messages a second, evenly; as fast as they are acknowledged when not given. */
  readonly rate?: number | undefined
  readonly onProgress?: (published: number) => void
}

/** Newer servers drop what comes faster than they store it, so no more than this may be on its way. */
const mostInFlight = 2_000
/** Messages are sent in slices of at most this many, so that acknowledgements are read in between. */
const slice = 250
const silenceMs = 5_000

/** Resolves when the broker has stored every message; gives how many. */
export async function publishAll(
  connection: NatsConnection,
  messages: Iterable<ShopMessage>,
  { rate = Infinity, onProgress }: PublishOptions = {},
): Promise<number> {
  const window = new Window(connection)
  const startedAt = performance.now()
  let sent = 0
  const source = messages[Symbol.iterator]()
  for (let next = source.next(); next.done !== true;) {
    // An open loop: when the broker was slow for a moment, what is due since then follows at once.
    const due = Math.min(sent + slice, Math.floor(((performance.now() - startedAt) / 1000) * rate) + 1)
    for (; sent < due && next.done !== true; next = source.next()) {
      window.send(next.value)
      sent++
    }
    onProgress?.(sent)
    await window.room(mostInFlight - slice)
    if (rate !== Infinity) await sleep(1)
  }
  await window.room(0)
  window.close()
  return sent
}

/** Messages that were sent and are not acknowledged yet. */
class Window {
  readonly #inbox = createInbox()
  readonly #open = new Map<number, ShopMessage>()
  #next = 0
  #failure: Error | undefined
  #wake = () => {}
  readonly #subscription

  constructor(private readonly connection: NatsConnection) {
    this.#subscription = connection.subscribe(`${this.#inbox}.*`, { callback: (_, reply) => this.#acknowledge(reply) })
  }

  send(message: ShopMessage): void {
    const number = this.#next++
    this.#open.set(number, message)
    this.#publish(number, message)
  }

  /** Resolves when at most `most` messages are open. What nobody answers is sent again: the broker knows their ids. */
  async room(most: number): Promise<void> {
    while (this.#open.size > most) {
      const before = this.#open.size
      const silence = setTimeout(() => this.#wake(), silenceMs)
      await new Promise<void>(resolve => (this.#wake = resolve))
      clearTimeout(silence)
      if (this.#failure !== undefined) throw this.#failure
      if (this.#open.size === before) for (const [number, message] of this.#open) this.#publish(number, message)
    }
  }

  close(): void {
    this.#subscription.unsubscribe()
  }

  #publish(number: number, { subject, payload, messageId }: ShopMessage): void {
    const header = headers()
    header.set('Nats-Msg-Id', messageId)
    this.connection.publish(subject, payload, { headers: header, reply: `${this.#inbox}.${number}` })
  }

  #acknowledge(reply: Msg): void {
    const answer = reply.string()
    if (answer === '' || answer.includes('"error"')) {
      this.#failure ??= new Error(`the broker does not store events: ${answer || 'no stream takes them'}`)
    }
    this.#open.delete(Number(reply.subject.slice(this.#inbox.length + 1)))
    this.#wake()
  }
}
