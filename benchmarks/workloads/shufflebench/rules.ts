/**
 * Matching rules of ShuffleBench (`SimpleMatcherService` of dynatrace-research/ShuffleBench): a record is a point, taken from
 * its random bytes; each consumer wants the records of a range whose width is its selectivity. A record may match no consumer,
 * one or several. Ranges wrap around.
 *
 * Selectivities follow Zipf's law and add up to 0.2, ShuffleBench's default. Its default exponent of 0 makes a million
 * consumers equally likely, so that hours pass before one of them has seen ten records; with 1 a run of a minute has both
 * thousands of consumers that emit and hundreds of thousands that are seldom seen.
 */

/** By consumer: where its range begins, and how much of the circle it takes. */
export interface Rules {
  readonly starts: Float64Array
  readonly widths: Float64Array
}

export const totalSelectivity = 0.2
const exponent = 1

/** The same for the same number of consumers. */
export function makeRules(consumers: number): Rules {
  const widths = new Float64Array(consumers)
  let total = 0
  for (let consumer = 0; consumer < consumers; consumer++) total += widths[consumer] = 1 / (consumer + 1) ** exponent
  for (let consumer = 0; consumer < consumers; consumer++) widths[consumer]! *= totalSelectivity / total
  return { starts: Float64Array.from(widths, (_, consumer) => pointOfConsumer(consumer)), widths }
}

/** SplitMix64's finalizer in 32 bits (MurmurHash3's `fmix32`), twice: evenly spread, and different for every consumer. */
function pointOfConsumer(consumer: number): number {
  const low = mixed(consumer)
  return (mixed(low ^ 0x9e3779b9) * 2 ** 20 + (low >>> 12)) / 2 ** 52
}

function mixed(value: number): number {
  let hash = value >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
