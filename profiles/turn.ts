import type { Effects, Event } from '../engine/index.js'
import type { Snapshot } from './snapshot.js'
import type { State } from './state.js'
import type { TraitSet } from './trait-set.js'

/** One step in the life of one profile: an event, or a moment at which time alone may change something. */
export class Turn {
  /** The earliest moment anything asked to be looked at again. */
  dueAt = Infinity

  constructor(
    readonly state: State,
    readonly snapshot: Snapshot,
    /** The partition's time of this step. */
    readonly at: number,
    readonly effects: Effects,
    /** `undefined` when time alone got us here. */
    readonly event: Event | undefined,
    /** Traits that the event may have changed. */
    readonly touched: TraitSet | undefined,
  ) {}

  lookAgainAt(at: number): void {
    if (at < this.dueAt) this.dueAt = at
  }
}
