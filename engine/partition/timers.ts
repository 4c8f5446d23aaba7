/**
 * The timers of a partition that may fire soon. The store holds all of them; the process holds those up to a horizon, so a
 * million waiting profiles cost no memory here, not even when they wait for the same moment.
 *
 * An entry is only a hint to look: the profile's own `dueAt` decides, so entries that were re-armed may stay in the heap.
 */
import type { Timer } from '../store.js'
import { Heap } from './heap.js'

/** Timers are loaded this far ahead of need, so that a busy partition asks twice a minute. */
const lookAheadMs = 30_000
const pageSize = 500

export type LoadTimers = (from: number, upTo: number, limit: number) => Promise<Timer[]>

export class TimerQueue {
  readonly #heap = new Heap<Timer>(isBefore)
  /** Every stored timer before it is in the heap, and it itself. */
  #horizon: Timer = { dueAt: 0, key: '' }

  constructor(private readonly load: LoadTimers) {}

  /** When the earliest known timer is due; `Infinity` when there is none. */
  get nextDueAt(): number {
    return this.next?.dueAt ?? Infinity
  }

  /** The earliest known timer; those of one moment go by key, as a replay needs it. */
  get next(): Timer | undefined {
    return this.#heap.at(0)
  }

  /** True when every timer due at or before `upTo` is known. */
  covers(upTo: number): boolean {
    return upTo < this.#horizon.dueAt
  }

  /** True when nothing known is due at or before `upTo` and the store may have more. */
  isShortOf(upTo: number): boolean {
    return !this.covers(upTo) && this.nextDueAt > upTo
  }

  /**
   * Moves the horizon beyond `upTo`, or as far as a page goes. Only when `isShortOf(upTo)`, and with no commit in flight: its
   * timers would be missed, and those it removes be known again.
   */
  async cover(upTo: number): Promise<void> {
    const until = upTo + lookAheadMs
    const page = await this.load(this.#horizon.dueAt, until, pageSize)
    this.#horizon = page[pageSize - 1] ?? { dueAt: until, key: '' }
    for (const { key, dueAt } of page) this.arm(key, dueAt)
  }

  /** A profile is armed. Beyond the horizon the store's copy is enough. */
  arm(key: string, dueAt: number): void {
    const { dueAt: until, key: last } = this.#horizon
    const isBeyond = dueAt > until || (dueAt === until && isLess(last, key))
    if (!isBeyond) this.#heap.push({ key, dueAt })
  }

  /** Adds the keys of the earliest `limit` known timers that are due at or before `upTo`. */
  keysDue(upTo: number, limit: number, into: Set<string>): void {
    const heap = this.#heap
    // Whoever is named leaves two behind it that may be next.
    const candidates = new Heap<number>((left, right) => isBefore(heap.at(left)!, heap.at(right)!))
    const consider = (at: number): void => {
      if ((heap.at(at)?.dueAt ?? Infinity) <= upTo) candidates.push(at)
    }
    consider(0)
    for (let named = 0; named < limit; named++) {
      const at = candidates.pop()
      if (at === undefined) return
      into.add(heap.at(at)!.key)
      consider(2 * at + 1)
      consider(2 * at + 2)
    }
  }

  /** Removes the earliest known timer. */
  take(): Timer | undefined {
    return this.#heap.pop()
  }
}

/** The order in which the store names them: by time, then by the bytes of the key. */
function isBefore(left: Timer, right: Timer): boolean {
  return left.dueAt < right.dueAt || (left.dueAt === right.dueAt && isLess(left.key, right.key))
}

/** In the order of their UTF-8 bytes. That of `<` differs from it: it puts characters beyond the first plane before U+E000. */
function isLess(left: string, right: string): boolean {
  const length = Math.min(left.length, right.length)
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i)
    const b = right.charCodeAt(i)
    if (a !== b) return rank(a) < rank(b)
  }
  return left.length < right.length
}

/** Lets surrogates come last. */
function rank(code: number): number {
  if (code < 0xd800) return code
  return code < 0xe000 ? code + 0x2000 : code - 0x800
}
