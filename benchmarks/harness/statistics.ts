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
