/**
 * The hashes a stage has seen within a window: an open-addressing table in the process, and an append-only log per time bucket
 * in the store (8 bytes a hash), written by the same commit as the profiles.
 *
 * A hash is remembered for at least the window and at most one bucket (a twelfth of it, a second at least) longer. Time is
 * the broker's, so a replay decides the same; buckets leave the store when that time has passed, not by expiry, because after
 * an outage the broker's time lies in the past.
 */
import type { HashMemory } from './operator.js'
import type { MemoryBucket, MemoryWrite } from './store.js'

const maxBuckets = 12
/** Low half, high half, bucket; an empty slot has bucket 0. */
const slotWords = 3
const initialSlots = 1024
/** Probing gets long above this. */
const maxLoad = 0.7

export class RecentHashes implements HashMemory {
  /** Position of the event being processed, set by the caller; decides which commit a new hash belongs to. */
  seq = 0

  readonly #bucketMs: number
  /** Whole buckets that cover the window. */
  readonly #span: number
  #table = new Uint32Array(initialSlots * slotWords)
  #slots = initialSlots
  #used = 0
  #newest = 0
  readonly #stored = new Set<number>()
  // New hashes not handed to a commit yet, in order of position.
  #pendingSeq: number[] = []
  #pending: number[] = []

  constructor(
    readonly stage: string,
    windowMs: number,
  ) {
    // A second at least: bucket numbers must fit 32 bits.
    this.#bucketMs = Math.max(1_000, Math.ceil(windowMs / maxBuckets))
    this.#span = Math.ceil(windowMs / this.#bucketMs)
  }

  /** Hashes in the table, expired ones included. */
  get size(): number {
    return this.#used
  }

  /** Buckets to load for a partition whose time is `now`. */
  bucketsAt(now: number): { readonly from: number; readonly to: number } {
    const to = Math.floor(now / this.#bucketMs)
    return { from: Math.max(1, to - this.#span), to }
  }

  restore(buckets: readonly MemoryBucket[]): void {
    for (const { bucket, bytes } of buckets) {
      this.#stored.add(bucket)
      this.#newest = Math.max(this.#newest, bucket)
      for (let at = 0; at + 8 <= bytes.length; at += 8) {
        this.#put(bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4), bucket)
      }
    }
  }

  checkAndAdd(low: number, high: number, now: number): boolean {
    const bucket = Math.floor(now / this.#bucketMs)
    if (bucket > this.#newest) this.#newest = bucket
    const at = this.#find(low, high)
    const found = this.#table[at + 2]!
    if (found !== 0 && found >= bucket - this.#span) return true
    this.#write(at, low, high, bucket)
    this.#pendingSeq.push(this.seq)
    this.#pending.push(low, high, bucket)
    return false
  }

  /** What a commit up to `position` must write: new hashes, and the buckets that have left the window. */
  drain(position: number): MemoryWrite[] {
    let count = 0
    while (count < this.#pendingSeq.length && this.#pendingSeq[count]! <= position) count++
    const writes: MemoryWrite[] = []
    for (let start = 0; start < count;) {
      const bucket = this.#pending[start * 3 + 2]!
      let end = start + 1
      while (end < count && this.#pending[end * 3 + 2] === bucket) end++
      const bytes = Buffer.allocUnsafe((end - start) * 8)
      for (let i = start; i < end; i++) {
        bytes.writeUInt32LE(this.#pending[i * 3]!, (i - start) * 8)
        bytes.writeUInt32LE(this.#pending[i * 3 + 1]!, (i - start) * 8 + 4)
      }
      writes.push({ stage: this.stage, bucket, bytes })
      this.#stored.add(bucket)
      start = end
    }
    if (count === this.#pendingSeq.length) {
      this.#pendingSeq = []
      this.#pending = []
    } else {
      this.#pendingSeq = this.#pendingSeq.slice(count)
      this.#pending = this.#pending.slice(count * 3)
    }
    if (count > 0) this.#dropOld(writes)
    return writes
  }

  #dropOld(writes: MemoryWrite[]): void {
    for (const bucket of this.#stored) {
      if (bucket >= this.#newest - this.#span) continue
      writes.push({ stage: this.stage, bucket, bytes: undefined })
      this.#stored.delete(bucket)
    }
  }

  /** Index of the hash's slot, or of the empty one where it would go. The hash is random: its low half is the start. */
  #find(low: number, high: number): number {
    const mask = this.#slots - 1
    let slot = low & mask
    for (;;) {
      const at = slot * slotWords
      if (this.#table[at + 2] === 0) return at
      if (this.#table[at] === low && this.#table[at + 1] === high) return at
      slot = (slot + 1) & mask
    }
  }

  #put(low: number, high: number, bucket: number): void {
    this.#write(this.#find(low, high), low, high, bucket)
  }

  #write(at: number, low: number, high: number, bucket: number): void {
    const isNew = this.#table[at + 2] === 0
    this.#table[at] = low
    this.#table[at + 1] = high
    this.#table[at + 2] = bucket
    if (isNew && ++this.#used > this.#slots * maxLoad) this.#rebuild()
  }

  /** Leaves expired hashes behind; grows only when the living ones need it. */
  #rebuild(): void {
    const old = this.#table
    const oldest = this.#newest - this.#span
    let living = 0
    for (let at = 2; at < old.length; at += slotWords) if (old[at]! !== 0 && old[at]! >= oldest) living++
    this.#slots = initialSlots
    while (living > this.#slots * maxLoad * 0.6) this.#slots *= 2
    this.#table = new Uint32Array(this.#slots * slotWords)
    this.#used = living
    for (let at = 0; at < old.length; at += slotWords) {
      const bucket = old[at + 2]!
      if (bucket === 0 || bucket < oldest) continue
      const to = this.#find(old[at]!, old[at + 1]!)
      this.#table[to] = old[at]!
      this.#table[to + 1] = old[at + 1]!
      this.#table[to + 2] = bucket
    }
  }
}
