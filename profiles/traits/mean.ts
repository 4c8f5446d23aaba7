import { finiteNumber } from './input.js'
import { never, type TraitKind } from './kind.js'
import { addDecimal, addNumber, decimalValue, type Decimal } from './sum.js'

type State = [count: number, total: Decimal]

/** Arithmetic mean, from an exact sum and a count. `undefined` before the first event. */
export const mean: TraitKind<State, number, number | undefined> = {
  name: 'mean',
  growthBytes: 26,
  keepsInput: false,
  empty: () => [0, [0, 0]],
  fold: (state, input) => {
    addNumber(state[1], finiteNumber(input))
    state[0]++
    return state
  },
  merge: (into, from) => {
    into[0] += from[0]
    addDecimal(into[1], from[1][0], from[1][1])
    return into
  },
  read: ([count, total]) => (count === 0 ? undefined : decimalValue(total) / count),
  nextChange: never,
}
