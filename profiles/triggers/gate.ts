/** At most `count` in any stretch of `windowMs`. */
export interface Cap {
  readonly count: number
  readonly windowMs: number
}

/** Holds a trigger back that has fired too often or too recently. The times it fired are kept in the profile. */
export class Gate {
  constructor(
    private readonly cap: Cap | undefined,
    private readonly cooldownMs: number | undefined,
  ) {}

  /** Why it must not fire now; `undefined` when it may. */
  refusal(firedAt: readonly number[], at: number): 'cap' | 'cooldown' | undefined {
    if (this.cap !== undefined) {
      const from = at - this.cap.windowMs
      if (firedAt.filter(time => time > from).length >= this.cap.count) return 'cap'
    }
    if (this.cooldownMs !== undefined && firedAt.length > 0 && at < firedAt.at(-1)! + this.cooldownMs) return 'cooldown'
    return undefined
  }

  /** In place: remembers that it fired, forgets what no longer counts. */
  note(firedAt: number[], at: number): void {
    if (this.cap === undefined && this.cooldownMs === undefined) return
    firedAt.push(at)
    const counts = this.cap === undefined ? 1 : this.cap.count
    const from = at - Math.max(this.cap?.windowMs ?? 0, this.cooldownMs ?? 0)
    const gone = firedAt.filter((time, index) => time <= from || index < firedAt.length - counts).length
    firedAt.splice(0, gone)
  }
}
