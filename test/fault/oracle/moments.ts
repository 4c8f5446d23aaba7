/** Moments at which somebody must be looked at, the earliest first, and by key among those of the same moment: a binary heap. */
export interface Moment {
  readonly at: number
  readonly key: string
}

export class Moments {
  readonly #heap: Moment[] = []

  add(moment: Moment): void {
    const heap = this.#heap
    let place = heap.push(moment) - 1
    for (let parent = (place - 1) >> 1; place > 0 && isBefore(moment, heap[parent]!); parent = (place - 1) >> 1) {
      heap[place] = heap[parent]!
      place = parent
    }
    heap[place] = moment
  }

  /** Takes the earliest one that is not later than `until`. */
  take(until: number): Moment | undefined {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined || first.at > until) return undefined
    const moved = heap.pop()!
    if (heap.length === 0) return first
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (child >= heap.length || isBefore(moved, heap[child]!)) break
      heap[place] = heap[child]!
      place = child
    }
    heap[place] = moved
    return first
  }
}

function isBefore(a: Moment, b: Moment): boolean {
  return a.at < b.at || (a.at === b.at && a.key < b.key)
}
