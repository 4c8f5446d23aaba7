import { keepable } from './input.js'
import { never, type TraitKind } from './kind.js'
import { compareSightings, type Sighting } from './sighting.js'

/** The value that happened last, which need not be the one that arrived last. `undefined` before the first event. */
export const last: TraitKind<Sighting | null, unknown, unknown> = {
  name: 'last',
  growthBytes: 19,
  keepsInput: true,
  empty: () => null,
  fold: (state, input, { at, seq }) => later(state, [at, seq, keepable(input)]),
  merge: later,
  read: state => state?.[2],
  nextChange: never,
}

function later(left: Sighting | null, right: Sighting | null): Sighting | null {
  if (left === null || right === null) return left ?? right
  return compareSightings(left, right) < 0 ? right : left
}
