/**
 * What a partition has decided and must still tell the world, in order, exactly once.
 *
 * Entries enter after the commit that stored them, go out pipelined, and leave when the broker has them. A failure stops
 * sending; when nothing is in flight any more, everything not acknowledged is sent again from the oldest on. The broker drops
 * what it already has by `Nats-Msg-Id`. Entries acknowledged at the head are trimmed from Redis with the next commit.
 */
import { decodeEntry, type OutboxEntry } from './outbox-entry.js'
import type { Publisher } from './nats/publisher.js'

export interface OutboxOptions {
  /** Past either bound the partition stops reading. */
  readonly maxEntries: number
  readonly maxBytes: number
  readonly publisher: Pick<Publisher, 'publish'>
  /** False when the lease may have run out: nothing is sent until it was renewed. */
  readonly maySend: () => boolean
  /** Something was acknowledged or failed. */
  readonly wake: () => void
  readonly onPublished: (entry: OutboxEntry, isDuplicate: boolean) => void
  readonly onFailure: (error: Error) => void
}

interface Slot {
  readonly entry: OutboxEntry
  readonly bytes: number
  isAcknowledged: boolean
}

/** Sent and not acknowledged, per partition. */
const maxInFlight = 512
const retryMs = 250
/** Done slots kept at most before the array is cut. */
const releaseAt = 1_024

export class Outbox {
  /** From `#head` on: the slots before it are done and let go of in bulk, because shifting an array costs its length. */
  #slots: Slot[] = []
  #head = 0
  /** Index of the next slot to send. */
  #next = 0
  #inFlight = 0
  #bytes = 0
  #trimmable = 0
  #hasFailed = false
  #isClosed = false
  #retry: NodeJS.Timeout | undefined

  constructor(private readonly options: OutboxOptions) {}

  get entries(): number {
    return this.#slots.length - this.#head
  }

  get isFull(): boolean {
    return this.entries >= this.options.maxEntries || this.#bytes >= this.options.maxBytes
  }

  get isEmpty(): boolean {
    return this.entries === 0
  }

  /** Entries at the head of the stored outbox that are published and not yet trimmed there. */
  get trimmable(): number {
    return this.#trimmable
  }

  /** The store has removed them. */
  trimmed(count: number): void {
    this.#trimmable -= count
  }

  /** Takes entries that are stored, oldest first, and sends what it may. */
  add(entries: readonly OutboxEntry[]): void {
    for (const entry of entries) {
      const bytes = entry.body.length + 128
      this.#slots.push({ entry, bytes, isAcknowledged: false })
      this.#bytes += bytes
    }
    this.send()
  }

  /** Entries read from the store after a restart; those the broker already has are only trimmed. */
  restore(stored: readonly Buffer[], isPublished: (entry: OutboxEntry) => boolean): void {
    for (const bytes of stored) {
      const entry = decodeEntry(bytes)
      this.#slots.push({ entry, bytes: bytes.length, isAcknowledged: isPublished(entry) })
      this.#bytes += bytes.length
    }
    this.#release()
    this.send()
  }

  /** Called again whenever sending may have become possible. */
  send(): void {
    if (this.#isClosed || this.#hasFailed || this.#next >= this.#slots.length) return
    if (!this.options.maySend()) return
    while (this.#next < this.#slots.length && this.#inFlight < maxInFlight && !this.#hasFailed) {
      const slot = this.#slots[this.#next++]!
      if (slot.isAcknowledged) continue
      this.#inFlight++
      const { subject, body, fields } = slot.entry
      this.options.publisher.publish(subject, body, fields, (failure, isDuplicate) => {
        this.#inFlight--
        if (this.#isClosed) return
        if (failure === undefined) {
          slot.isAcknowledged = true
          this.options.onPublished(slot.entry, isDuplicate)
          if (this.#slots[this.#head] === slot) this.#release()
        } else {
          if (!this.#hasFailed) this.options.onFailure(failure)
          this.#hasFailed = true
        }
        if (this.#hasFailed) this.#recover()
        else this.send()
      })
    }
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#retry)
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

  /** Lets go of the acknowledged head. */
  #release(): void {
    const before = this.#head
    while (this.#head < this.#slots.length && this.#slots[this.#head]!.isAcknowledged) {
      this.#bytes -= this.#slots[this.#head++]!.bytes
    }
    if (this.#head === before) return
    this.#trimmable += this.#head - before
    if (this.#head === this.#slots.length || this.#head >= releaseAt) {
      this.#slots = this.#slots.slice(this.#head)
      this.#next = Math.max(0, this.#next - this.#head)
      this.#head = 0
    }
    this.options.wake()
  }
}
