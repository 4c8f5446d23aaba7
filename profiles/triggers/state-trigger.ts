import type { Condition } from '../condition.js'
import type { Turn } from '../turn.js'
import type { Outlet, Trigger } from './trigger.js'

/** Decides when a condition over the traits begins to hold, by an event or by time alone. */
export class StateTrigger implements Trigger {
  readonly name: string
  readonly slot: number

  constructor(
    private readonly outlet: Outlet,
    private readonly condition: Condition,
  ) {
    this.name = outlet.name
    this.slot = outlet.slot
  }

  onEvent(turn: Turn): void {
    if (this.#begins(turn)) this.outlet.fire(turn, undefined)
  }

  onTime(turn: Turn): void {
    this.outlet.attempt(turn, () => this.onEvent(turn))
  }

  #begins(turn: Turn): boolean {
    if (!this.condition.mayHaveTurned(turn)) return false
    const verdict = this.condition.judge(turn)
    if (verdict === 'failed') {
      if (turn.touched === undefined) turn.effects.suppressed(this.name, 'error', turn.at)
      return false
    }
    const holds = verdict === 'holds'
    const held = this.outlet.peek(turn)?.[0] === 1
    if (held !== holds) this.outlet.open(turn)[0] = holds ? 1 : 0
    return holds && !held
  }
}
