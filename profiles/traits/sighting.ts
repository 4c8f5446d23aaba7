import { compareValues } from '../plain.js'

/** A kept value with what orders it. Replaced as a whole, never edited, so that states may share it. */
export type Sighting = readonly [at: number, seq: number, value: unknown]

/**
 * Order of happening: event time, then position in the stream. Events split from one share both, so the value decides last;
 * which of them counts as later does not matter, only that it is the same one in every order of folding.
 */
export function compareSightings(left: Sighting, right: Sighting): number {
  return left[0] - right[0] || left[1] - right[1] || compareValues(left[2], right[2])
}
