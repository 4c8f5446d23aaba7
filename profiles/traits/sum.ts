import { finiteNumber } from './input.js'
import { never, type TraitKind } from './kind.js'

/**
 * A decimal fixed to six places: `whole + micro / 1e6` with `0 <= micro < 1e6`. Adding doubles depends on their order, adding
 * these does not as long as the total stays within 2^53. Updated in place.
 */
export type Decimal = [whole: number, micro: number]

/** Adds `value`, rounded to the nearest millionth. */
export function addNumber(total: Decimal, value: number): void {
  const whole = Math.floor(value)
  addDecimal(total, whole, Math.round((value - whole) * 1e6))
}

/** `micro` may be a full 1e6, which rounding up gives. */
export function addDecimal(total: Decimal, whole: number, micro: number): void {
  let sum = total[1] + micro
  let carry = 0
  while (sum >= 1e6) {
    sum -= 1e6
    carry++
  }
  total[0] += whole + carry
  total[1] = sum
}

/** The nearest double. */
export function decimalValue([whole, micro]: Decimal): number {
  const millionths = whole * 1e6 + micro
  // Dividing a whole number rounds once, so 0.1 + 0.2 reads 0.3; beyond 2^53 the product would already have been rounded.
  return Number.isSafeInteger(millionths) ? millionths / 1e6 : whole + micro / 1e6
}

/** Total of a number. 0 before the first event. */
export const sum: TraitKind<Decimal, number, number> = {
  name: 'sum',
  growthBytes: 16,
  keepsInput: false,
  empty: () => [0, 0],
  fold: (state, input) => {
    addNumber(state, finiteNumber(input))
    return state
  },
  merge: (into, from) => {
    addDecimal(into, from[0], from[1])
    return into
  },
  read: decimalValue,
  nextChange: never,
}
