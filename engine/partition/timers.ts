/**
 * The timers of a partition that may fire soon. The store holds all of them; the process holds those up to a horizon, so a
 * million waiting profiles cost no memory here.
 *
 * An entry is only a hint to look: the profile's own `dueAt` decides, so entries that were re-armed may stay in the heap.
 */
import type { Timer } from '../store.js'

/** Timers are loaded this far ahead of need, so that a busy partition asks twice a minute. */
const lookAheadMs = 30_000
const pageSize = 500

export type LoadTimers = (after: number, upTo: number, limit: number) => Promise<Timer[]>

export class TimerQueue {
  readonly #heap: Timer[] = []
  /** Every stored timer due at or before this moment is in the heap. */
  #coveredUntil = -1

  constructor(private readonly load: LoadTimers) {}

  get coveredUntil(): number {
    return this.#coveredUntil
  }

  /** When the earliest known timer is due; `Infinity` when there is none. */
  get nextDueAt(): number {
    return this.#heap[0]?.dueAt ?? Infinity
  }

  /**
   * Loads stored timers so that `coveredUntil` reaches `upTo`, or as far as a page goes. No commit may be in flight: its
   * timers would be missed.
   */
  async cover(upTo: number): Promise<void> {
    for (let limit = pageSize; this.#coveredUntil < upTo; limit *= 2) {
      const page = await this.load(this.#coveredUntil, upTo + lookAheadMs, limit)
      const isFull = page.length === limit
      const last = page.at(-1)?.dueAt ?? 0
      // Further timers may share the last due time: cover only what lies before it.
      const covered = isFull ? Math.min(upTo + lookAheadMs, last - 1) : upTo + lookAheadMs
      if (covered <= this.#coveredUntil) continue
      for (const timer of page) if (timer.dueAt <= covered) this.#push(timer)
      this.#coveredUntil = covered
      return
    }
  }

  /** A profile was armed. Beyond the horizon the store's copy is enough. */
  arm(key: string, dueAt: number): void {
    if (dueAt <= this.#coveredUntil) this.#push({ key, dueAt })
  }

  /** Keys of all known timers due at or before `upTo`. */
  keysDue(upTo: number, into: Set<string>): void {
    const visit = (at: number): void => {
      const timer = this.#heap[at]
      if (timer === undefined || timer.dueAt > upTo) return
      into.add(timer.key)
      visit(2 * at + 1)
      visit(2 * at + 2)
    }
    visit(0)
  }

  /** Removes and returns the earliest timer due at or before `upTo`; ties go by key, as a replay needs it. */
  take(upTo: number): Timer | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.dueAt > upTo) return undefined
    const last = this.#heap.pop()!
    if (this.#heap.length > 0) {
      this.#heap[0] = last
      this.#sink()
    }
    return first
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let at = heap.push(timer) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (isBefore(heap[parent]!, timer)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = timer
  }

  #sink(): void {
    const heap = this.#heap
    const timer = heap[0]!
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (isBefore(timer, heap[child]!)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = timer
  }
}

function isBefore(left: Timer, right: Timer): boolean {
  return left.dueAt < right.dueAt || (left.dueAt === right.dueAt && left.key < right.key)
}
