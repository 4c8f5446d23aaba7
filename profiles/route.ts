/** What one event type concerns in a definition, worked out once. */
import type { Event } from '../engine/index.js'
import { sizeBound } from './plain.js'
import type { Select } from './trait.js'
import type { TraitSet } from './trait-set.js'
import type { Occurrence, TraitKind } from './traits/kind.js'
import type { Trigger } from './triggers/trigger.js'

/** A trait at its place in the model. */
export interface PlacedTrait {
  readonly name: string
  readonly index: number
  readonly kind: TraitKind
  readonly types: readonly string[]
  readonly select: Select | undefined
  readonly where: Select | undefined
  readonly isPersonal: boolean
  /** Windowed traits only. */
  readonly isLate: ((occurrence: Occurrence) => boolean) | undefined
}

export class Route {
  /** What each trait folds from the event at hand; `undefined` and `null`: nothing. */
  readonly inputs: unknown[]
  readonly #growthBytes: number

  constructor(
    readonly traits: readonly PlacedTrait[],
    readonly touched: TraitSet,
    readonly triggers: readonly Trigger[],
    /** How many triggers may keep the event's whole value. */
    private readonly keepers: number,
    /** Most bytes that anything but traits may add. */
    otherGrowthBytes: number,
  ) {
    this.inputs = new Array<unknown>(traits.length).fill(undefined)
    this.#growthBytes = traits.reduce((total, trait) => total + trait.kind.growthBytes, otherGrowthBytes)
  }

  /** Runs the definition's functions over the event. Returns the most bytes by which folding it can grow the stored form. */
  select(event: Event): number {
    let growth = this.#growthBytes
    const value = event.value as never
    for (let i = 0; i < this.traits.length; i++) {
      const { where, select, kind } = this.traits[i]!
      const input =
        where !== undefined && !where(value, event) ? undefined : select === undefined ? true : select(value, event)
      this.inputs[i] = input
      if (kind.keepsInput) growth += sizeBound(input)
    }
    return this.keepers === 0 ? growth : growth + this.keepers * sizeBound(value)
  }
}
