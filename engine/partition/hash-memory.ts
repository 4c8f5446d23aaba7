/**
 * The hashes a stage has seen within a window: an open-addressing table in the process, and an append-only log per time bucket
 * in the store (8 bytes a hash), written by the same commit as the profiles.
 *
 * A hash is remembered for at least the window and at most one bucket (a twelfth of it, a second at least) longer. Time is
 * the broker's, so a replay decides the same; buckets leave the store when that time has passed, not by expiry, because after
 * an outage the broker's time lies in the past.
 */
import type { HashMemory } from '../operator.js'
import type { MemoryBucket, MemoryWrite } from '../store.js'

const maxBuckets = 12
const initialSlots = 1024
/** Probing gets long above this. */
const maxLoad = 0.7
/** After a rebuild. With both, a hash takes 13 to 18 bytes. */
const freshLoad = 0.5
/** Tags go from 1 to this and begin again; 0 is an empty slot. */
const tagCount = 255
/** Buckets after which a table without growth is rebuilt as well: before a tag could mean another bucket. */
const rebuiltWithin = tagCount - 4 * maxBuckets

export class RecentHashes implements HashMemory {
  /** Position of the event being processed, set by the caller; decides which commit a new hash belongs to. */
  seq = 0

  readonly #bucketMs: number
  /** Whole buckets that cover the window. */
  readonly #span: number
  #slots = initialSlots
  /** Low and high half of each slot's hash. */
  #halves = new Uint32Array(initialSlots * 2)
  /** Of each slot's bucket. */
  #tags = new Uint8Array(initialSlots)
  #used = 0
  #newest = 0
  /** `#newest` when the table was rebuilt. */
  #rebuiltAt = 0
  readonly #stored = new Set<number>()
  /** No stored bucket is older. */
  #oldest = 0
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
      this.#moveTo(bucket)
      for (let at = 0; at + 8 <= bytes.length; at += 8) {
        this.#put(bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4), bucket)
      }
    }
  }

  checkAndAdd(low: number, high: number, now: number): boolean {
    const bucket = Math.floor(now / this.#bucketMs)
    this.#moveTo(bucket)
    const slot = this.#find(low, high)
    if (this.#tags[slot] !== 0 && this.#bucketOf(this.#tags[slot]!) >= bucket - this.#span) return true
    this.#write(slot, low, high, bucket)
    this.#pendingSeq.push(this.seq)
    this.#pending.push(low, high, bucket)
    return false
  }

  /**
   * What a commit up to `position` must write, when the partition's time has come to `now` with it: new hashes, and the buckets that
   * have left the window. By that time and no other: whoever takes the partition up goes on from it, and must find what it needs,
   * and nothing that nobody will remove any more.
   */
  drain(position: number, now: number): MemoryWrite[] {
    const oldest = this.bucketsAt(now).from
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
      if (bucket >= oldest) {
        writes.push({ stage: this.stage, bucket, bytes })
        this.#stored.add(bucket)
      }
      start = end
    }
    if (count === this.#pendingSeq.length) {
      this.#pendingSeq = []
      this.#pending = []
    } else {
      this.#pendingSeq = this.#pendingSeq.slice(count)
      this.#pending = this.#pending.slice(count * 3)
    }
    if (oldest > this.#oldest) this.#drop(oldest, writes)
    return writes
  }

  #drop(oldest: number, writes: MemoryWrite[]): void {
    this.#oldest = oldest
    for (const bucket of this.#stored) {
      if (bucket >= oldest) continue
      writes.push({ stage: this.stage, bucket, bytes: undefined })
      this.#stored.delete(bucket)
    }
  }

  /** Time has come to this bucket. */
  #moveTo(bucket: number): void {
    if (bucket <= this.#newest) return
    if (bucket - this.#rebuiltAt > rebuiltWithin) this.#rebuild(bucket)
    else this.#newest = bucket
  }

  #bucketOf(tag: number): number {
    return this.#newest - ((tagOf(this.#newest) - tag + tagCount) % tagCount)
  }

  /** The hash's slot, or the empty one where it would go. The hash is random: its low half says where to start. */
  #find(low: number, high: number): number {
    const slots = this.#slots
    const halves = this.#halves
    const slotTags = this.#tags
    let slot = Math.floor((low / 2 ** 32) * slots)
    while (slotTags[slot] !== 0 && (halves[2 * slot] !== low || halves[2 * slot + 1] !== high)) {
      if (++slot === slots) slot = 0
    }
    return slot
  }

  #put(low: number, high: number, bucket: number): void {
    this.#write(this.#find(low, high), low, high, bucket)
  }

  #write(slot: number, low: number, high: number, bucket: number): void {
    const isNew = this.#tags[slot] === 0
    this.#halves[2 * slot] = low
    this.#halves[2 * slot + 1] = high
    this.#tags[slot] = tagOf(bucket)
    if (isNew && ++this.#used > this.#slots * maxLoad) this.#rebuild(this.#newest)
  }

  /** Leaves behind what has expired when time has come to `newest`; grows only when the living ones need it. */
  #rebuild(newest: number): void {
    const [slots, halves, slotTags] = [this.#slots, this.#halves, this.#tags]
    const oldest = newest - this.#span
    const isAlive = (slot: number): boolean => slotTags[slot] !== 0 && this.#bucketOf(slotTags[slot]!) >= oldest
    const alive = new Uint32Array(this.#used)
    let living = 0
    for (let slot = 0; slot < slots; slot++) if (isAlive(slot)) alive[living++] = slot
    this.#slots = Math.max(initialSlots, Math.ceil(living / freshLoad))
    this.#halves = new Uint32Array(this.#slots * 2)
    this.#tags = new Uint8Array(this.#slots)
    this.#used = living
    this.#newest = this.#rebuiltAt = newest
    for (const slot of alive.subarray(0, living)) {
      const to = this.#find(halves[2 * slot]!, halves[2 * slot + 1]!)
      this.#halves[2 * to] = halves[2 * slot]!
      this.#halves[2 * to + 1] = halves[2 * slot + 1]!
      this.#tags[to] = slotTags[slot]!
    }
  }
}

function tagOf(bucket: number): number {
  return (bucket % tagCount) + 1
}
