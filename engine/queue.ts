/**
 * First in, first out, over an array. What leaves is let go of at once: kept until the array is cut, it would outlive the young
 * generation. The places are cut off in bulk, because shifting an array costs its length.
 */
const cutAt = 1_024

export class Queue<Item> {
  #items: (Item | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  /** The one behind `n` others. */
  at(n: number): Item | undefined {
    return this.#items[this.#head + n]
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  shift(): Item | undefined {
    if (this.size === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head >= cutAt && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
