import { keepable } from './input.js'
import { never, type TraitKind } from './kind.js'
import { compareSightings, type Sighting } from './sighting.js'

/** The value that happened first, which need not be the one that arrived first. `undefined` before the first event. */
export const first: TraitKind<Sighting | null, unknown, unknown> = {
  name: 'first',
  growthBytes: 19,
  keepsInput: true,
  empty: () => null,
  fold: (state, input, { at, seq }) => earlier(state, [at, seq, keepable(input)]),
  merge: earlier,
  read: state => state?.[2],
  nextChange: never,
}

function earlier(left: Sighting | null, right: Sighting | null): Sighting | null {
  if (left === null || right === null) return left ?? right
  return compareSightings(left, right) > 0 ? right : left
}
