/**
 * Notices what has stood still. Whether somebody else lives is only ever judged by this process' own monotonic clock: a value
 * that the other one must change within its lease has been seen unchanged for the whole lease, in looks that followed each
 * other closely.
 */
export class ChangeWatch<Subject> {
  readonly #seen = new Map<Subject, { value: string; since: number }>()
  #lookedAt = -Infinity

  /** `maxGapMs` between two looks; after a longer one nothing is known about the time between. */
  constructor(private readonly maxGapMs: number) {}

  /** A look at everything begins, at `now` (monotonic). Observations before a gap count no more. */
  look(now: number): void {
    if (now - this.#lookedAt > this.maxGapMs) this.forget()
    this.#lookedAt = now
  }

  /** A look failed: what was seen before proves nothing, because nobody could have changed anything. */
  forget(): void {
    this.#seen.clear()
  }

  /** How long, in milliseconds up to `now`, the value has been as it is. */
  stillFor(subject: Subject, value: string, now: number): number {
    const known = this.#seen.get(subject)
    if (known?.value === value) return now - known.since
    this.#seen.set(subject, { value, since: now })
    return 0
  }

  drop(subject: Subject): void {
    this.#seen.delete(subject)
  }
}
