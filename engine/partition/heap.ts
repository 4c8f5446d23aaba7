/** A binary heap in an array: the first by `isBefore` is at 0, the two behind the one at `i` are at `2i + 1` and `2i + 2`. */
export class Heap<T> {
  readonly #items: T[] = []

  constructor(private readonly isBefore: (left: T, right: T) => boolean) {}

  /** `undefined` beyond the end. */
  at(index: number): T | undefined {
    return this.#items[index]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.isBefore(items[parent]!, item)) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }

  /** Removes the first. */
  pop(): T | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (items.length > 0) this.#sink(last!)
    return first
  }

  /** Lets an item fall from the top, whose place is free. */
  #sink(item: T): void {
    const items = this.#items
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && this.isBefore(items[child + 1]!, items[child]!)) child++
      if (this.isBefore(item, items[child]!)) break
      items[at] = items[child]!
      at = child
    }
    items[at] = item
  }
}
