import type { Turn } from '../turn.js'
import type { Outlet, Trigger } from './trigger.js'

/** Decides at events: at each one, at each one where `when` holds (`every`), or where `when` begins to hold. */
export class EventTrigger implements Trigger {
  readonly name: string
  readonly slot: number

  constructor(
    private readonly outlet: Outlet,
    private readonly when: ((p: never, value: never) => unknown) | undefined,
    private readonly every: boolean,
  ) {
    this.name = outlet.name
    this.slot = outlet.slot
  }

  onEvent(turn: Turn): void {
    const value = turn.event!.value
    if (this.when !== undefined) {
      const holds = Boolean(this.when(turn.snapshot.traits as never, value as never))
      if (!this.every && !this.#turns(turn, holds)) return
      if (!holds) return
    }
    this.outlet.fire(turn, value)
  }

  onTime(): void {}

  /** Notes the verdict; true on the edge from false to true. */
  #turns(turn: Turn, holds: boolean): boolean {
    const held = this.outlet.peek(turn)?.[0] === 1
    if (held !== holds) this.outlet.open(turn)[0] = holds ? 1 : 0
    return holds && !held
  }
}
