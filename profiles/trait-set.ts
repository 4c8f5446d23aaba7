/** A set of traits by index, a bit each. */
export class TraitSet {
  readonly #words: Int32Array

  constructor(size: number, members: Iterable<number> = []) {
    this.#words = new Int32Array(Math.ceil(size / 32))
    for (const index of members) this.add(index)
  }

  add(index: number): void {
    this.#words[index >> 5]! |= 1 << (index & 31)
  }

  has(index: number): boolean {
    return (this.#words[index >> 5]! & (1 << (index & 31))) !== 0
  }

  addAll(other: TraitSet): void {
    for (let i = 0; i < this.#words.length; i++) this.#words[i]! |= other.#words[i]!
  }

  intersects(other: TraitSet): boolean {
    for (let i = 0; i < this.#words.length; i++) if ((this.#words[i]! & other.#words[i]!) !== 0) return true
    return false
  }

  clear(): void {
    for (let i = 0; i < this.#words.length; i++) this.#words[i] = 0
  }
}
