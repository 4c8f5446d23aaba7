/**
 * A trigger is a named decision, published. Three ways to decide: `EventTrigger` (at an event), `StateTrigger` (when a
 * condition over the traits becomes true) and `AbsenceTrigger` (when something has not happened for a while). What they share
 * is here: the gate, what is emitted, and the state.
 */
import { requireJson } from '../plain.js'
import type { Turn } from '../turn.js'
import type { Gate } from './gate.js'

/** Something awaited, in the order of falling due: `[dueAt, key, value of the event that started it]`. */
export type Wait = [dueAt: number, key: string, value: unknown]

/** What a profile keeps about a trigger; `null` until there is something to keep. */
export type TriggerState = [holds: 0 | 1, firedAt: number[], waits: Wait[]]

export interface Trigger {
  readonly name: string
  readonly slot: number
  /** An event of a type it listens to; for one without `on`, every event that the profile hears. */
  onEvent(turn: Turn): void
  /** A moment of `turn.at` without an event. */
  onTime(turn: Turn): void
}

/** Gate, emission and state of one trigger. */
export class Outlet {
  constructor(
    readonly name: string,
    readonly slot: number,
    private readonly gate: Gate,
    private readonly emit: ((p: never, value: never) => unknown) | undefined,
  ) {}

  /** State for reading: shared when there is none yet. */
  peek({ state }: Turn): TriggerState | null {
    return state.slots[this.slot] as TriggerState | null
  }

  /** State for writing. */
  open({ state }: Turn): TriggerState {
    return (state.slots[this.slot] ??= [0, [], []]) as TriggerState
  }

  /** Fires, or says what held it back. Throws what `emit` throws. */
  fire(turn: Turn, value: unknown): void {
    const reason = this.gate.refusal(this.peek(turn)?.[1] ?? [], turn.at)
    if (reason !== undefined) return turn.effects.suppressed(this.name, reason, turn.at)
    const data = this.emit === undefined ? {} : (this.emit(turn.snapshot.traits as never, value as never) ?? {})
    requireJson(data, `what trigger ${this.name} emits`)
    // Throws when it is too large: then nothing was fired.
    turn.effects.trigger(this.name, turn.at, data)
    this.gate.note(this.open(turn)[1], turn.at)
  }

  /** The same where no event can be blamed: an error suppresses the trigger instead of ending the turn. */
  attempt(turn: Turn, decide: () => void): void {
    try {
      decide()
    } catch {
      // Published as suppressed, so it is seen and counted; the text may quote personal data.
      turn.effects.suppressed(this.name, 'error', turn.at)
    }
  }
}
