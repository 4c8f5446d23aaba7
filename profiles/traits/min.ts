import { finiteNumber } from './input.js'
import { never, type TraitKind } from './kind.js'

/** Smallest number. `undefined` before the first event. */
export const min: TraitKind<number | null, number, number | undefined> = {
  name: 'min',
  growthBytes: 9,
  keepsInput: false,
  empty: () => null,
  fold: (state, input) => lesser(state, finiteNumber(input)),
  merge: lesser,
  read: state => state ?? undefined,
  nextChange: never,
}

function lesser(left: number | null, right: number | null): number | null {
  if (left === null || right === null) return left ?? right
  return Math.min(left, right)
}
