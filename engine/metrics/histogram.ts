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

  reset(): void {
    this.counts.fill(0)
    this.#sum = 0
  }
}
