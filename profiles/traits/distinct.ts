import { hash32 } from '../hash.js'
import type { Scalar } from '../plain.js'
import { addHash, emptyRegisters, estimate, mergeRegisters } from './hyperloglog.js'
import { scalar } from './input.js'
import { never, type TraitKind } from './kind.js'

/** Up to 64 hashes, ascending; then HyperLogLog registers. Which of the two depends only on the values seen. */
type State = number[] | Buffer

/** Up to here the count is exact, but for the chance of one in two million that two of 64 values share a hash. */
export const exactLimit = 64

/** How many different values: exact up to 64, then within about 2.3 % (HyperLogLog, 2 KB). */
export const distinct: TraitKind<State, Scalar, number> = {
  name: 'distinct',
  // The step from 64 hashes to registers is the largest.
  growthBytes: 2060,
  keepsInput: false,
  empty: () => [],
  fold: (state, input) => add(state, hash32(scalar(input))),
  merge: (into, from) => {
    if (!Buffer.isBuffer(from)) return from.reduce<State>(add, into)
    const registers = registersOf(into)
    mergeRegisters(registers, from)
    return registers
  },
  read: state => (Buffer.isBuffer(state) ? estimate(state) : state.length),
  nextChange: never,
}

function add(state: State, hash: number): State {
  if (Buffer.isBuffer(state)) {
    addHash(state, hash)
    return state
  }
  const place = placeOf(state, hash)
  if (state[place] === hash) return state
  state.splice(place, 0, hash)
  return state.length > exactLimit ? registersOf(state) : state
}

function registersOf(state: State): Buffer {
  if (Buffer.isBuffer(state)) return state
  const registers = emptyRegisters()
  for (const hash of state) addHash(registers, hash)
  return registers
}

function placeOf(hashes: readonly number[], hash: number): number {
  let low = 0
  let high = hashes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (hashes[middle]! < hash) low = middle + 1
    else high = middle
  }
  return low
}
