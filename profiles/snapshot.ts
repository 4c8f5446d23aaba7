/**
 * The `p` of `p => p.spend >= 500`: one object per model with a getter per trait, pointed at one profile after the other. A
 * getter computes its trait when it is first asked, keeps it while nothing changes, and notes that it was read. The notes are
 * how the engine knows which events, and which moments, can change what a condition says.
 */
import type { State } from './state.js'
import { TraitSet } from './trait-set.js'
import { never, type TraitKind } from './traits/kind.js'

export interface NamedKind {
  readonly name: string
  readonly kind: TraitKind
}

export class Snapshot {
  /** What the user's functions are given. */
  readonly traits: Readonly<Record<string, unknown>>
  /** Traits read since `forgetReads`. */
  readonly reads: TraitSet
  readonly #timed: readonly number[]
  readonly #known: TraitSet
  readonly #values: unknown[] = []
  #slots: readonly unknown[] = []
  #at = 0

  constructor(private readonly kinds: readonly NamedKind[]) {
    this.reads = new TraitSet(kinds.length)
    this.#known = new TraitSet(kinds.length)
    this.#timed = kinds.flatMap(({ kind }, index) => (kind.nextChange === never ? [] : [index]))
    const traits = Object.create(null) as Record<string, unknown>
    kinds.forEach(({ name }, index) => {
      Object.defineProperty(traits, name, { enumerable: true, get: () => this.#read(index) })
    })
    this.traits = Object.freeze(traits)
  }

  /** Shows `state` as it is at a moment; to be called again whenever one of the two has changed. */
  show(state: State, at: number): void {
    this.#slots = state.slots
    this.#at = at
    this.#known.clear()
  }

  forgetReads(): void {
    this.reads.clear()
  }

  /** The next moment at which time alone may change a trait that was read since `forgetReads`. */
  nextChange(): number {
    let next = Infinity
    for (const index of this.#timed) {
      if (!this.reads.has(index)) continue
      next = Math.min(next, this.kinds[index]!.kind.nextChange(this.#slots[index], this.#at))
    }
    return next
  }

  #read(index: number): unknown {
    this.reads.add(index)
    if (!this.#known.has(index)) {
      this.#values[index] = this.kinds[index]!.kind.read(this.#slots[index], this.#at)
      this.#known.add(index)
    }
    return this.#values[index]
  }
}
