/** The few statistics that the benchmarks print. */

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** Median and range. Ranges, not deviations: five rounds on a shared machine have no distribution worth a name. */
export function spreadOf(samples: readonly number[]): Spread {
  if (samples.length === 0) throw new RangeError('a spread needs at least one sample')
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, least: sorted[0]!, most: sorted.at(-1)! }
}

/** The smallest sample that `share` (0 to 1) of all samples do not exceed: nearest rank, never between two samples. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) throw new RangeError('a percentile needs at least one sample')
  // Decimal shares are not exact: 0.999 * 1000 is a little more than 999, which is not the next rank.
  const rank = Math.ceil(sorted.length * share - 1e-9)
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1]!
}

/** For figures that are printed: digits beyond these are noise. */
export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

/** Rate of steps done one after the other for every event, none of them overlapping: times add up, not rates. */
export function rateInSeries(rates: readonly number[]): number {
  return 1 / rates.reduce((seconds, rate) => seconds + 1 / rate, 0)
}

/** The median of paired ratios, and an interval that holds the true one with this confidence (0 to 1). */
export interface Ratio {
  readonly median: number
  readonly low: number
  readonly high: number
  readonly confidence: number
}

const wantedConfidence = 0.95

/**
 * Of two samples a pair, taken in the same round. The interval is made of order statistics, which assumes nothing about how
 * ratios are distributed: the median lies outside of the k-th smallest to the k-th largest of n with the probability that at
 * most k - 1 of n fair coins show heads, twice. It is the narrowest of at least 95 %; with fewer than six pairs there is none,
 * and the range stands with the confidence that it has (three rounds: 75 %).
 */
export function ratioOf(pairs: readonly (readonly [number, number])[]): Ratio {
  const ratios = pairs.map(([one, other]) => one / other).sort((a, b) => a - b)
  const { median } = spreadOf(ratios.map(Math.log))
  let [rank, confidence] = [1, coverage(ratios.length, 1)]
  while (rank < ratios.length / 2 && coverage(ratios.length, rank + 1) >= wantedConfidence) {
    confidence = coverage(ratios.length, ++rank)
  }
  return { median: Math.exp(median), low: ratios[rank - 1]!, high: ratios.at(-rank)!, confidence }
}

/** For files. */
export function roundedRatio({ median, low, high, confidence }: Ratio): Ratio {
  const [one, two, three, four] = [median, low, high, confidence].map(value => rounded(value, 3))
  return { median: one!, low: two!, high: three!, confidence: four! }
}

/** Probability that the median lies between the `rank`-th smallest and the `rank`-th largest of `count` samples. */
function coverage(count: number, rank: number): number {
  let [ways, tail] = [1, 0]
  for (let heads = 0; heads < rank; heads++) {
    tail += ways / 2 ** count
    ways = (ways * (count - heads)) / (heads + 1)
  }
  return 1 - 2 * tail
}
