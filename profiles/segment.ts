import type { Condition } from './condition.js'
import type { Turn } from './turn.js'

/** A named condition with enter and exit. Its slot holds the time the profile entered, or 0. */
export class Segment {
  constructor(
    readonly name: string,
    readonly slot: number,
    private readonly condition: Condition,
  ) {}

  evaluate(turn: Turn): void {
    if (!this.condition.mayHaveTurned(turn)) return
    const verdict = this.condition.judge(turn)
    const { slots } = turn.state
    const isInside = slots[this.slot] !== 0
    // A condition that throws says nothing: the profile stays where it is.
    if (verdict === 'failed' && turn.touched === undefined) turn.effects.failed(this.name)
    if (verdict === 'holds' && !isInside) {
      slots[this.slot] = turn.at
      turn.effects.segment(this.name, 'entered', turn.at)
    } else if (verdict === 'fails' && isInside) this.exit(turn)
  }

  /** Leaves when inside. */
  exit({ state, effects, at }: Pick<Turn, 'state' | 'effects' | 'at'>): void {
    if (state.slots[this.slot] === 0) return
    state.slots[this.slot] = 0
    effects.segment(this.name, 'exited', at)
  }
}
