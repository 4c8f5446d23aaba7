/** Checks of what a definition's functions select; each throws a sentence that ends in a dead letter. */
import { kindOf, stored, type Scalar } from '../plain.js'

/** Sums are exact up to here. */
export const maxMagnitude = 2 ** 53

export function finiteNumber(input: unknown): number {
  if (typeof input === 'number' && Math.abs(input) <= maxMagnitude) return input + 0
  throw new TypeError(`takes a finite number within 2^53, got ${kindOf(input)}`)
}

export function scalar(input: unknown): Scalar {
  if (typeof input === 'string') return stored(input) as string
  if (typeof input === 'boolean') return input
  if (typeof input === 'number' && Number.isFinite(input)) return input + 0
  throw new TypeError(`takes text, a finite number, true or false, got ${kindOf(input)}`)
}

export function keepable(input: unknown): unknown {
  if (typeof input === 'number' && !Number.isFinite(input)) {
    throw new TypeError(`takes text, a finite number or other plain data, got ${kindOf(input)}`)
  }
  return stored(input)
}
