/**
 * Publishes many entries at once, in order. A failure stops sending; when nothing is in flight any more, everything not
 * acknowledged is sent again from the oldest on. The broker drops what it already has by `Nats-Msg-Id`.
 */
import type { Publisher } from './nats/publisher.js'
import type { Sender, SenderEvents, Slot } from './outbox.js'

export interface PipelinedSenderOptions {
  readonly publisher: Pick<Publisher, 'publish'>
  /** False when the lease may have run out: nothing is sent until it was renewed. Asked before each write. */
  readonly maySend: () => boolean
}

/** Sent and not acknowledged, per partition. */
const maxInFlight = 512
const retryMs = 250
/** Acknowledged slots kept at most before the array is cut. */
const releaseAt = 1_024

export class PipelinedSender implements Sender {
  /** From `#head` on: the slots before it are acknowledged and let go of in bulk. */
  #slots: Slot[] = []
  #head = 0
  /** Index of the next slot to send. */
  #next = 0
  #inFlight = 0
  #hasFailed = false
  #isClosed = false
  #whenAnswered: (() => void) | undefined
  #retry: NodeJS.Timeout | undefined

  constructor(
    private readonly options: PipelinedSenderOptions,
    private readonly events: SenderEvents,
  ) {}

  add(slot: Slot): void {
    this.#slots.push(slot)
  }

  send(): void {
    const { publisher, maySend } = this.options
    if (this.#isClosed) return
    while (this.#next < this.#slots.length && this.#inFlight < maxInFlight && !this.#hasFailed && maySend()) {
      const slot = this.#slots[this.#next++]!
      if (slot.isAcknowledged) continue
      this.#inFlight++
      const { subject, body, fields } = slot.entry
      publisher.publish(subject, body, fields, (failure, isDuplicate) => this.#answered(slot, failure, isDuplicate))
    }
  }

  close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise(resolve => (this.#whenAnswered = resolve))
  }

  #answered(slot: Slot, failure: Error | undefined, isDuplicate: boolean): void {
    this.#inFlight--
    if (this.#isClosed) {
      if (this.#inFlight === 0) this.#whenAnswered?.()
      return
    }
    if (failure === undefined) {
      this.events.acknowledged(slot, isDuplicate)
      this.#release()
    } else {
      if (!this.#hasFailed) this.events.failed(failure)
      this.#hasFailed = true
    }
    if (this.#hasFailed) this.#recover()
    else this.send()
  }

  #recover(): void {
    if (this.#inFlight > 0 || this.#retry !== undefined) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#hasFailed = false
      this.#next = this.#head
      this.send()
    }, retryMs)
  }

  #release(): void {
    while (this.#head < this.#next && this.#slots[this.#head]!.isAcknowledged) this.#head++
    if (this.#head < this.#slots.length && this.#head < releaseAt) return
    this.#slots = this.#slots.slice(this.#head)
    this.#next -= this.#head
    this.#head = 0
  }
}
