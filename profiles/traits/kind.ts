/**
 * What a kind of trait is: four functions over a small state of plain data. They know nothing of profiles, events or each
 * other, so each kind is proved right alone, and `within` turns any of them into a windowed one.
 *
 * The first argument of `fold` and `merge` is owned: it may be updated in place and returned. Nothing else is edited or kept.
 * For every kind, folding all events into one state equals folding them in any parts and any order and merging those.
 */

/** When an event happened. One object is reused for all folds: read it, do not keep it. */
export interface Occurrence {
  /** Event time, epoch milliseconds; never later than `now`. */
  at: number
  seq: number
  /** The partition's time. */
  now: number
}

export interface TraitKind<State = unknown, Input = unknown, Value = unknown> {
  /** Word in the layout: a changed state needs a new name. */
  readonly name: string
  /** Most bytes by which one fold can grow the stored state, besides the value itself. */
  readonly growthBytes: number
  /** True when the value folded in is kept as it is, so that its size counts too. */
  readonly keepsInput: boolean
  /** The state before the first event. */
  empty(): State
  /** Throws a `TypeError` when the input is not what the kind takes. */
  fold(state: State, input: Input, occurrence: Occurrence): State
  merge(into: State, from: State): State
  /** Value at `now`; never a part of the state that a later fold may edit. */
  read(state: State, now: number): Value
  /** The next moment after `now` at which time alone may change what `read` gives: not later than it does, `Infinity` for never. */
  nextChange(state: State, now: number): number
}

/** `nextChange` of kinds that only events change. */
export function never(): number {
  return Infinity
}
