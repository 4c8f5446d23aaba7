/** Adds up how long the parts of a loop take. One reading costs about 50 ns: once a batch, not once an event. */
export class Stopwatch {
  readonly #totals = new Map<string, number>()
  #lastMs = 0

  /** Milliseconds of each part. */
  get totals(): ReadonlyMap<string, number> {
    return this.#totals
  }

  start(): void {
    this.#lastMs = performance.now()
  }

  /** The time since `start` or the last lap was this part's. */
  lap(part: string): void {
    const now = performance.now()
    this.add(part, now - this.#lastMs)
    this.#lastMs = now
  }

  add(part: string, ms: number): void {
    this.#totals.set(part, (this.#totals.get(part) ?? 0) + ms)
  }
}
