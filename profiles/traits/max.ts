import { finiteNumber } from './input.js'
import { never, type TraitKind } from './kind.js'

/** Largest number. `undefined` before the first event. */
export const max: TraitKind<number | null, number, number | undefined> = {
  name: 'max',
  growthBytes: 9,
  keepsInput: false,
  empty: () => null,
  fold: (state, input) => greater(state, finiteNumber(input)),
  merge: greater,
  read: state => state ?? undefined,
  nextChange: never,
}

function greater(left: number | null, right: number | null): number | null {
  if (left === null || right === null) return left ?? right
  return Math.max(left, right)
}
