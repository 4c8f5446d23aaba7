/**
 * Publishes many entries at once, in order. A failure stops sending; when nothing is in flight any more, everything not
 * acknowledged is sent again from the oldest on. The broker drops what it already has by `Nats-Msg-Id`.
 */
import type { Publisher } from '../nats/publisher.js'
import { Queue } from '../queue.js'
import type { Sender, SenderEvents, Slot } from './outbox.js'

export interface PipelinedSenderOptions {
  readonly publisher: Pick<Publisher, 'publish'>
  /** False when the lease may have run out: nothing is sent until it was renewed. Asked before each write. */
  readonly maySend: () => boolean
}

/** Sent and not acknowledged, per partition. */
const maxInFlight = 512
const retryMs = 250

export class PipelinedSender implements Sender {
  readonly #slots = new Queue<Slot>()
  /** How many from the first on were sent. */
  #sent = 0
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
    while (this.#sent < this.#slots.size && this.#inFlight < maxInFlight && !this.#hasFailed && maySend()) {
      const slot = this.#slots.at(this.#sent++)!
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
      this.#sent = 0
      this.send()
    }, retryMs)
  }

  #release(): void {
    while (this.#sent > 0 && this.#slots.at(0)!.isAcknowledged) {
      this.#slots.shift()
      this.#sent--
    }
  }
}
