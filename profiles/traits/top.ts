import { hash32 } from '../hash.js'
import { compareScalars, type Scalar } from '../plain.js'
import { scalar } from './input.js'
import { never, type TraitKind } from './kind.js'

/** One row of what `top` reads. */
export type Ranked<Value = Scalar> = { readonly value: Value; readonly count: number }

/**
 * Values with their counts, sorted by value: `[limit, v0, n0, v1, n1, ...]`. `limit` is the largest hash kept once the table is
 * full, `null` before.
 */
type State = [limit: number | null, ...rows: Scalar[]]

/** Different values counted exactly. */
export const topCapacity = 128

/**
 * The `k` most frequent values with their counts; ties by value. Exact up to 128 different values. Beyond that it keeps the
 * 128 whose hashes are smallest, with exact counts, and the others are not seen: a sample of values that is the same in every
 * order and under every merge, which the usual heavy-hitter sketches are not. Use it for categories, not for products.
 */
export function top(k: number): TraitKind<State, Scalar, Ranked[]> {
  return {
    name: 'top',
    growthBytes: 22,
    keepsInput: true,
    empty: () => [null],
    fold: (state, input) => add(state, scalar(input), 1),
    merge: (into, from) => {
      for (let i = 1; i < from.length; i += 2) add(into, from[i]!, from[i + 1] as number)
      return into
    },
    read: state => {
      const rows: Ranked[] = []
      for (let i = 1; i < state.length; i += 2) rows.push({ value: state[i]!, count: state[i + 1] as number })
      // The table is sorted by value and sorting is stable, so equal counts stay in that order.
      return rows.sort((left, right) => right.count - left.count).slice(0, k)
    },
    nextChange: never,
  }
}

function add(state: State, value: Scalar, count: number): State {
  const place = placeOf(state, value)
  if (place < state.length && state[place] === value) {
    state[place + 1] = (state[place + 1] as number) + count
    return state
  }
  if (state[0] !== null && hash32(value) > state[0]) return state
  state.splice(place, 0, value, count)
  if (state.length > 1 + 2 * topCapacity) removeLargestHash(state)
  if (state.length === 1 + 2 * topCapacity) state[0] = largestHash(state).hash
  return state
}

/** Index of the value, or where it belongs. */
function placeOf(state: State, value: Scalar): number {
  let low = 0
  let high = (state.length - 1) / 2
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareScalars(state[1 + 2 * middle]!, value) < 0) low = middle + 1
    else high = middle
  }
  return 1 + 2 * low
}

/** Hashes are computed here instead of stored: a full table sees a smaller hash ever more rarely. */
function largestHash(state: State): { hash: number; place: number } {
  let hash = -Infinity
  let place = 0
  for (let i = 1; i < state.length; i += 2) {
    const candidate = hash32(state[i]!)
    // Of two values with one hash the later in order goes, whichever came first.
    if (candidate >= hash) [hash, place] = [candidate, i]
  }
  return { hash, place }
}

function removeLargestHash(state: State): void {
  state.splice(largestHash(state).place, 2)
}
