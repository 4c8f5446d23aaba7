/** What must hold, by name, and where it did not. */
export const invariants = {
  acknowledged_once: 'every acknowledged event is in the stream of events once',
  profile_equal: "every profile equals the oracle's",
  no_extra_profile: 'there is no profile that no event made',
  no_extra_key: 'Redis holds nothing else but what a pipeline keeps',
  effect_missing: 'everything that had to be published is',
  effect_repeated: 'nothing is published twice',
  effect_unexpected: 'nothing else is published',
  effect_order: 'within a partition everything is published in the order of positions',
  position_fell: 'positions fall only when Redis was brought back',
  owner_writes: 'only the owner of a partition writes to it',
  halt_unexpected: 'partitions halt only where something was lost',
  halt_missing: 'where something was lost the partition is halted, for the right reason',
  not_recovered: 'after healing, everything is processed within the bound',
  memory_bounded: 'the memory of every replica stays within the bound',
  outbox_bounded: 'the outbox of every partition stays within the bound',
  buffer_bounded: 'the events that a partition has received and not taken stay within the bound',
  marker_in_log: 'no key and no payload is in any log',
  exited: 'a replica ends only when it is told to',
} as const

export type Invariant = keyof typeof invariants

export interface Violation {
  readonly invariant: Invariant
  readonly detail: string
}

/** Collects violations; of each kind the first ones in words, all of them by number. */
export class Violations {
  readonly #found: Violation[] = []
  readonly #counts = new Map<Invariant, number>()

  constructor(private readonly mostDetails = 10) {}

  add(invariant: Invariant, detail: string): void {
    const count = (this.#counts.get(invariant) ?? 0) + 1
    this.#counts.set(invariant, count)
    if (count <= this.mostDetails) this.#found.push({ invariant, detail })
  }

  /** The first ones of each kind; the last of a kind says how many there are when not all are listed. */
  get list(): Violation[] {
    const unlisted = [...this.#counts].filter(([, count]) => count > this.mostDetails)
    return [
      ...this.#found,
      ...unlisted.map(([invariant, count]) => ({ invariant, detail: `and ${count - this.mostDetails} more` })),
    ]
  }

  has(invariant: Invariant): boolean {
    return this.#counts.has(invariant)
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0
  }
}
