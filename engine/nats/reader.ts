/**
 * Reads one partition of the event stream, in order and without gaps, into a bounded buffer.
 *
 * There are no acknowledgements: position is committed with the state, and a consumer that acks jumps for ever over a message
 * lost in flight. Instead an ephemeral AckNone pull consumer starts after the position, its delivery sequence must rise by
 * exactly one, and at the first doubt the consumer is dropped and another one made after the last event received.
 *
 * Flow control is a credit: events asked for and not yet received plus events buffered never exceed `maxEvents`. Pull requests
 * are written by hand on one inbox, because the client's `fetch` costs an iterator per request and `consume` has no bound.
 * Two requests overlap, so that expiry of one leaves no hole.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { AckPolicy, DeliverPolicy, type JetStreamManager, type Msg, type NatsConnection, type Subscription } from 'nats'
import { MillraceError } from '../errors.js'
import { Arrivals, type Batch } from './arrivals.js'
import { isNotFound, natsError } from './connection.js'
import { parseDelivery, type Delivery } from './delivery.js'
import { noBytes, type RawMessage } from './raw-message.js'
import { anchorOf } from './streams.js'

export interface ReaderOptions {
  readonly stream: string
  /** Subject filter of the partition. */
  readonly filter: string
  /** Prefix of the consumer's name, for people who look at the server. */
  readonly name: string
  /** Bound of buffered and requested events. */
  readonly maxEvents: number
  /**
   * Bytes of one pull request, at least the server's largest message; nothing is asked for while as much is buffered. Two
   * requests overlap, so about three times this is the most that can be in memory.
   */
  readonly maxBytes: number
  /** Added to stream sequences. */
  readonly sequenceOffset: number
  /** The partition's time so far: events are never received before it. */
  readonly notBefore: number
  /** Recognizes the event that was processed last; empty when there was none. */
  readonly anchor: string
  /**
   * Throws when the stream is not the one expected, does not hold everything after the sequence, or holds another event than the
   * anchor says; judged by what the broker said at `notBefore` (monotonic) or later. Runs when a consumer was made and nothing
   * has been asked of it, because only then it is settled what it starts from, and, without an anchor, every second.
   */
  readonly verify: (lastStreamSeq: number, anchor: string, notBefore: number) => Promise<unknown>
  /** Stream sequence of the partition's last event that the stream holds, 0 when it holds none. Asked of the leader. */
  readonly lastStored: () => Promise<number>
  /** How many sequences earlier a consumer should start; what the reader has had already is dropped. */
  readonly rewind?: (afterStreamSeq: number) => Promise<number>
  /** False in tests only: what is lost in flight stays lost. Default true. */
  readonly isGapChecked?: boolean
  /** Something arrived, or `failure` was set. */
  readonly wake: () => void
  readonly onRestart: (why: string) => void
}

const requestMs = 5_000
const staleCountMs = 100
const answerMs = 500
const heartbeatMs = 500
/** A second. */
const ticksPerAudit = 2
/** Three missed heartbeats. */
const silenceMs = 1_500

export class Reader {
  /** Set when reading cannot go on; the owner takes it from here. */
  failure: unknown
  /** Events of this partition that the stream still holds beyond the last one received, as of that event. */
  pending = 0

  readonly #arrivals = new Arrivals()
  #outstanding = 0
  #subscription: Subscription | undefined
  #consumer = ''
  #consumerSeq = 0
  #lastStreamSeq: number
  /** The last event received, for its anchor. */
  #lastMessage: RawMessage | undefined
  #lastMessageSeq = 0
  /** Where `advanceTo` was told to go last. */
  #moved: { readonly streamSeq: number; readonly anchor: string } | undefined
  #lastBrokerMs = 0
  #heardAt = 0
  #receivedLastAt = 0
  /** What was received before the last audits, older first. */
  #audited: readonly [number, number]
  #ticks = 0
  #receivedAt: number
  #isClosed = false
  #opening: Promise<void> | undefined
  #watchdog: NodeJS.Timeout | undefined
  readonly #delivery: Delivery = { streamSeq: 0, consumerSeq: 0, brokerMs: 0, pending: 0 }

  /** Reading starts after `afterStreamSeq`. */
  constructor(
    private readonly connection: NatsConnection,
    private readonly manager: JetStreamManager,
    private readonly options: ReaderOptions,
    afterStreamSeq: number,
  ) {
    this.#lastStreamSeq = afterStreamSeq
    this.#audited = [afterStreamSeq, afterStreamSeq]
    this.#receivedAt = options.notBefore
    this.#reopen()
    this.#watchdog = setInterval(() => this.#watch(), heartbeatMs)
  }

  get buffered(): number {
    return this.#arrivals.count
  }

  /**
   * Takes buffered events up to either bound, one at least; whatever has arrived, never waiting for more. None beyond the logical
   * sequence `upToSeq`.
   */
  take(maxEvents: number, maxBytes: number, upToSeq = Infinity): Batch {
    const batch = this.#arrivals.take(maxEvents, maxBytes, upToSeq)
    this.#request()
    return batch
  }

  /**
   * True when the broker holds nothing for this partition that was not taken; whatever it stores later gets a time after this
   * call. So it is asked for the partition's last event, which it reads under the lock under which it stores. A consumer's
   * pending count and "no messages" say less: consumers hear of what was stored some time later, on a busy server 100 ms. The leader of
   * a replicated stream may still be about to store what it gave a time before this call.
   */
  async isCaughtUp(): Promise<boolean> {
    if (this.#subscription === undefined || this.buffered > 0) return false
    // More is on its way. When nothing has come for a while, the count itself is in doubt: 2.9 may leave it above zero.
    if (this.pending > 0 && performance.now() - this.#receivedLastAt < staleCountMs) return false
    const consumer = this.#consumer
    // What cannot be found out soon is asked again: a request may be lost with its connection.
    const unknown = Infinity
    const lastSeq = await Promise.race([
      this.options.lastStored().catch(() => unknown),
      delay(answerMs, unknown, { ref: false }),
    ])
    if (lastSeq > this.#lastStreamSeq || consumer !== this.#consumer || this.buffered > 0) return false
    this.pending = 0
    return true
  }

  /** True when everything up to this logical sequence was taken. */
  async isCompleteTo(seq: number): Promise<boolean> {
    return this.buffered === 0 ? this.isCaughtUp() : this.#arrivals.nextSeq > seq
  }

  /** The partition is complete up to here although its last event came earlier. `anchor` is of the stream's event there, if it is known. */
  advanceTo(streamSeq: number, anchor: string): void {
    if (streamSeq <= this.#lastStreamSeq) return
    this.#lastStreamSeq = streamSeq
    if (anchor !== '') this.#moved = { streamSeq, anchor }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#watchdog)
    this.#arrivals.clear()
    await this.#opening
    this.#drop()
  }

  /** The connection came back: requests made before are gone. */
  restart(why: string): void {
    if (this.#isClosed || this.#opening !== undefined) return
    this.options.onRestart(why)
    this.#reopen()
  }

  #reopen(): void {
    this.#drop()
    const opening = this.#open()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#opening = undefined
      })
    this.#opening = opening
  }

  /** What only waiting mends is tried again by the watchdog. */
  #fail(error: unknown): void {
    if (this.#isClosed) return
    if (error instanceof MillraceError && error.action === 'retry') {
      this.options.onRestart(error.message)
      return
    }
    this.failure = error
    this.options.wake()
  }

  async #open(): Promise<void> {
    const { stream, filter, name, verify, rewind } = this.options
    const consumer = `${name}-${Math.random().toString(36).slice(2, 10)}`
    const made = await this.manager.consumers
      .add(stream, {
        name: consumer,
        ack_policy: AckPolicy.None,
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: Math.max(1, this.#lastStreamSeq + 1 - ((await rewind?.(this.#lastStreamSeq)) ?? 0)),
        filter_subject: filter,
        mem_storage: true,
        num_replicas: 1,
        // Long enough to outlive a short cut of the link, short enough not to pile up.
        inactive_threshold: 30e9,
      })
      .catch((error: unknown) => {
        const text = `cannot create a consumer on "${stream}"`
        throw isNotFound(error) ? new MillraceError('stream_missing', text, { cause: error }) : natsError(error, text)
      })
    try {
      await verify(this.#lastStreamSeq, this.#anchor(), performance.now())
    } catch (error) {
      this.#forget(consumer)
      throw error
    }
    if (this.#isClosed) return this.#forget(consumer)
    this.#consumer = consumer
    this.#consumerSeq = 0
    this.#outstanding = 0
    this.pending = made.num_pending
    this.#heardAt = this.#receivedLastAt = performance.now()
    this.#subscription = this.connection.subscribe(`_INBOX.${consumer}.*`, {
      callback: (error, message) => {
        if (error === null) this.#receive(message as RawMessage, consumer)
        else this.#fail(natsError(error, 'cannot receive events'))
      },
    })
    this.#request()
  }

  /** Of the last event received, or of one that it has moved on to since, or of the last one processed before this reader. */
  #anchor(): string {
    const receivedSeq = this.#lastMessage === undefined ? 0 : this.#lastMessageSeq
    if (this.#moved !== undefined && this.#moved.streamSeq > receivedSeq) return this.#moved.anchor
    if (this.#lastMessage === undefined) return this.options.anchor
    return anchorOf(this.#lastMessageSeq, Math.floor(this.#lastBrokerMs), this.#lastMessage.data)
  }

  #drop(): void {
    if (this.#subscription === undefined) return
    this.#subscription.unsubscribe()
    this.#subscription = undefined
    this.#forget(this.#consumer)
    this.#consumer = ''
  }

  #forget(consumer: string): void {
    void this.manager.consumers.delete(this.options.stream, consumer).catch(() => false) // it vanishes by itself when idle
  }

  /** Asks for as much as the credit allows, in requests of at least a quarter of it. */
  #request(): void {
    const { maxEvents, maxBytes } = this.options
    const credit = maxEvents - this.#outstanding - this.buffered
    if (this.#subscription === undefined || this.#arrivals.bytes >= maxBytes) return
    if (this.#outstanding > maxEvents / 2 || credit < maxEvents / 4) return
    const half = Math.ceil(credit / 2)
    for (const batch of this.#outstanding === 0 ? [half, credit - half] : [credit]) {
      this.#next(
        `{"batch":${batch},"expires":${requestMs}000000,"idle_heartbeat":${heartbeatMs}000000,"max_bytes":${maxBytes}}`,
      )
      this.#outstanding += batch
    }
  }

  /** Events come under their own subject, a status under the reply's. */
  #next(request: string): void {
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.options.stream}.${this.#consumer}`
    this.connection.publish(subject, request, { reply: `_INBOX.${this.#consumer}.events` })
  }

  #receive(message: RawMessage, consumer: string): void {
    if (consumer !== this.#consumer) return
    this.#heardAt = performance.now()
    const delivery = this.#delivery
    if (!parseDelivery(message._msg.reply ?? noBytes, delivery)) {
      this.#status(message)
      return
    }
    const { isGapChecked = true } = this.options
    if (isGapChecked && delivery.consumerSeq !== this.#consumerSeq + 1) {
      this.restart('gap')
      return
    }
    // One delivery lowers pending by one and new events raise it. A larger fall means that the stream removed events of this
    // partition before they were delivered. Starting again makes `verify` see what is missing.
    if (isGapChecked && delivery.pending < this.pending - 1) {
      this.restart('events removed before delivery')
      return
    }
    this.#consumerSeq = delivery.consumerSeq
    this.#receivedLastAt = this.#heardAt
    this.#outstanding -= 1
    this.pending = delivery.pending
    if (delivery.streamSeq <= this.#lastStreamSeq) {
      this.#request()
      return
    }
    this.#lastStreamSeq = delivery.streamSeq
    this.#lastMessage = message
    this.#lastMessageSeq = delivery.streamSeq
    this.#lastBrokerMs = delivery.brokerMs
    // A new stream leader's clock may lie behind the old one's; the partition's time does not go back.
    this.#receivedAt = Math.max(this.#receivedAt, Math.floor(delivery.brokerMs))
    const seq = delivery.streamSeq + this.options.sequenceOffset
    this.#arrivals.push(seq, this.#receivedAt, delivery.brokerMs, message)
    if (this.buffered === 1) this.options.wake()
  }

  #status(message: Msg): void {
    const headers = message.headers
    if (headers === undefined) return
    if (headers.code === 100) {
      const last = Number(headers.get('Nats-Last-Consumer'))
      if (last > this.#consumerSeq && this.options.isGapChecked !== false) this.restart('lost in flight')
      return
    }
    // 408 and 409 end a request; what it had left comes back as credit.
    const isConsumerGone = headers.code === 503 || /deleted|leadership/i.test(headers.description)
    if (isConsumerGone) {
      this.restart(headers.description || 'no responders')
      return
    }
    const left = headers.get('Nats-Pending-Messages')
    this.#outstanding = Math.max(0, this.#outstanding - (left === '' ? this.#outstanding : Number(left)))
    this.#request()
  }

  #watch(): void {
    if (this.#isClosed || this.#opening !== undefined || this.failure !== undefined) return
    if (this.#subscription === undefined) return this.#reopen()
    if (++this.#ticks % ticksPerAudit === 0) this.#audit()
    if (this.#outstanding === 0) this.#request()
    else if (performance.now() - this.#heardAt > silenceMs) this.restart('silence')
    // Heartbeats come, but what the broker said it holds does not: it may have been removed.
    else if (this.pending > 0 && performance.now() - this.#receivedLastAt > silenceMs) this.restart('starved')
  }

  /**
   * Events that are removed before they are delivered leave no gap in the consumer's numbers, and servers before 2.10 still
   * count them as pending. But nothing can be missing while the stream still begins before what was received some time ago.
   */
  #audit(): void {
    const [from, next] = this.#audited
    this.#audited = [next, this.#lastStreamSeq]
    // All readers of this second share one answer. It may be older than `next`, but not than what was received before.
    const second = Math.floor(performance.now() / 1_000) * 1_000
    this.options.verify(from, '', second).catch((error: unknown) => this.#fail(error))
  }
}
