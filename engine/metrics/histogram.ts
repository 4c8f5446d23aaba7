/**
 * Distribution over fixed bounds, kept in one typed array: observing costs a binary search and two additions, allocates
 * nothing, and a scrape reads the counts as they are.
 */

export class Histogram {
  /** One count per bound and one for what lies above the last; not cumulative. */
  readonly counts: Float64Array
  #sum = 0
  readonly #bounds: Float64Array

  /** Bounds rise; a value equal to a bound is counted at that bound. */
  constructor(readonly bounds: readonly number[]) {
    this.#bounds = Float64Array.from(bounds)
    this.counts = new Float64Array(bounds.length + 1)
  }

  /**
   * Adds `count` observations of one value, in the unit of the bounds. A negative value counts as zero: two machines' clocks
   * differ, and a sum that falls reads as a restart to Prometheus.
   */
  observe(given: number, count = 1): void {
    const value = given > 0 ? given : 0
    const bounds = this.#bounds
    let low = 0
    let high = bounds.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (value <= bounds[middle]!) high = middle
      else low = middle + 1
    }
    this.counts[low]! += count
    this.#sum += value * count
  }

  get sum(): number {
    return this.#sum
  }

  get count(): number {
    let total = 0
    for (const count of this.counts) total += count
    return total
  }

  /**
   * Estimate of the value below which the share `q` (0 to 1) of the observations lies, interpolated inside its bucket as
   * Prometheus' `histogram_quantile` does; above the last bound that bound. `NaN` without observations.
   */
  quantile(q: number): number {
    const rank = q * this.count
    if (this.count === 0) return NaN
    let below = 0
    for (let index = 0; index < this.bounds.length; index++) {
      const inBucket = this.counts[index]!
      if (inBucket > 0 && below + inBucket >= rank) {
        const floor = index === 0 ? 0 : this.bounds[index - 1]!
        return floor + (this.bounds[index]! - floor) * ((rank - below) / inBucket)
      }
      below += inBucket
    }
    return this.bounds.at(-1)!
  }

  reset(): void {
    this.counts.fill(0)
    this.#sum = 0
  }
}
