/**
 * What a partition has decided and must still tell the world, in order, exactly once.
 *
 * Entries enter after the commit that stored them, are sent by the sender of their lane, and leave when the broker has them.
 * Entries acknowledged at the head are trimmed from Redis with the next commit.
 */
import type { Lane } from '../nats/names.js'
import { Queue } from '../queue.js'
import { sizeOf, type OutboxEntry } from './outbox-entry.js'

export interface Slot {
  readonly entry: OutboxEntry
  /** What it counts for in the outbox' bound. */
  readonly bytes: number
  isAcknowledged: boolean
}

/** Brings entries to the broker in the order in which they were added; what failed is sent again by itself. */
export interface Sender {
  add(slot: Slot): void
  /** Called again whenever sending may have become possible. */
  send(): void
  /** Nothing is sent any more. Resolves when all that was sent is answered, which the publisher bounds. */
  close(): Promise<void>
}

/** What senders tell the outbox. */
export interface SenderEvents {
  acknowledged(slot: Slot, isDuplicate: boolean): void
  /** What failed is sent again. */
  failed(error: Error): void
  /** The sender cannot go on, and whoever attaches next must find out why. */
  broken(error: Error): void
}

export interface OutboxOptions {
  /** Past either bound the partition stops reading. */
  readonly maxEntries: number
  readonly maxBytes: number
  /** One for each lane; lanes may share one. */
  readonly open: (events: SenderEvents) => ReadonlyMap<Lane, Sender>
  /** Something was acknowledged. */
  readonly wake: () => void
  readonly onPublished: (entry: OutboxEntry, isDuplicate: boolean) => void
  readonly onFailure: (error: Error) => void
  /** Nothing of a lane is published any more. */
  readonly onBroken: (error: Error) => void
}

export class Outbox {
  readonly #slots = new Queue<Slot>()
  #bytes = 0
  /** Of entries that are being stored. */
  #expected = { entries: 0, bytes: 0 }
  #trimmable = 0
  #isClosed = false
  readonly #senderOf: ReadonlyMap<Lane, Sender>
  readonly #senders: ReadonlySet<Sender>

  constructor(private readonly options: OutboxOptions) {
    this.#senderOf = options.open({
      acknowledged: (slot, isDuplicate) => this.#acknowledge(slot, isDuplicate),
      failed: error => {
        if (!this.#isClosed) options.onFailure(error)
      },
      broken: error => {
        if (!this.#isClosed) options.onBroken(error)
      },
    })
    this.#senders = new Set(this.#senderOf.values())
  }

  get entries(): number {
    return this.#slots.size
  }

  /** With what is being stored. */
  get isFull(): boolean {
    const { maxEntries, maxBytes } = this.options
    const { entries, bytes } = this.#expected
    return this.entries + entries >= maxEntries || this.#bytes + bytes >= maxBytes
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

  /** These entries are being stored; `add` will follow. */
  expect(entries: readonly OutboxEntry[]): void {
    this.#expected.entries = entries.length
    this.#expected.bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0)
  }

  /** Takes entries that are stored, oldest first, and sends what it may. */
  add(entries: readonly OutboxEntry[]): void {
    this.#expected.entries = this.#expected.bytes = 0
    for (const entry of entries) this.#push(entry, false)
    this.send()
  }

  /** Entries read from the store after a restart; those the broker already has are only trimmed. */
  restore(stored: readonly OutboxEntry[], isPublished: (entry: OutboxEntry) => boolean): void {
    for (const entry of stored) this.#push(entry, isPublished(entry))
    this.#release()
    this.send()
  }

  /** Called again whenever sending may have become possible. */
  send(): void {
    if (this.#isClosed) return
    for (const sender of this.#senders) sender.send()
  }

  /** Resolves when nothing is on its way any more: whoever attaches next then sees all of it. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#senders].map(sender => sender.close()))
  }

  #push(entry: OutboxEntry, isAcknowledged: boolean): void {
    const slot = { entry, bytes: sizeOf(entry), isAcknowledged }
    this.#slots.push(slot)
    this.#bytes += slot.bytes
    if (!isAcknowledged) this.#senderOf.get(entry.lane)!.add(slot)
  }

  #acknowledge(slot: Slot, isDuplicate: boolean): void {
    if (this.#isClosed) return
    slot.isAcknowledged = true
    this.options.onPublished(slot.entry, isDuplicate)
    if (this.#slots.at(0) === slot) this.#release()
  }

  /** Lets go of the acknowledged head. */
  #release(): void {
    const before = this.#trimmable
    while (this.#slots.at(0)?.isAcknowledged === true) {
      this.#bytes -= this.#slots.shift()!.bytes
      this.#trimmable++
    }
    if (this.#trimmable > before) this.options.wake()
  }
}
