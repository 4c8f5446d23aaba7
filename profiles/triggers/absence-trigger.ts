import { kindOf, stored } from '../plain.js'
import type { Turn } from '../turn.js'
import type { Outlet, Trigger, Wait } from './trigger.js'

/** Waits of one trigger in one profile; more would let one key grow a profile without end. */
export const maxWaits = 16

const maxKeyLength = 200
/** Most bytes that a wait takes in the stored form, besides the event's value. */
export const waitGrowthBytes = 40 + 3 * maxKeyLength

export interface AbsenceRules {
  readonly on: ReadonlySet<string>
  readonly unless: ReadonlySet<string>
  readonly afterMs: number
  readonly by: ((value: never) => unknown) | undefined
  readonly when: ((p: never, value: never) => unknown) | undefined
  /** False when nobody will look at the value of the event that started a wait. */
  readonly keepsValue: boolean
}

/**
 * Decides when nothing has happened for a while: an `on` event starts a wait for its key, a further one restarts it, an
 * `unless` event ends it. What is still waiting when it falls due is asked `when`, and fires.
 */
export class AbsenceTrigger implements Trigger {
  readonly name: string
  readonly slot: number

  constructor(
    private readonly outlet: Outlet,
    private readonly rules: AbsenceRules,
  ) {
    this.name = outlet.name
    this.slot = outlet.slot
  }

  onEvent(turn: Turn): void {
    const { type, value } = turn.event!
    const key = this.#keyOf(value)
    if (this.rules.unless.has(type)) this.#cancel(turn, key)
    if (this.rules.on.has(type)) this.#start(turn, key, value)
    this.#askForNext(turn)
  }

  onTime(turn: Turn): void {
    const waits = this.outlet.peek(turn)?.[2]
    if (waits === undefined) return
    while (waits.length > 0 && waits[0]![0] <= turn.at) {
      const value = waits.shift()![2]
      this.outlet.attempt(turn, () => {
        const { when } = this.rules
        if (when === undefined || when(turn.snapshot.traits as never, value as never)) this.outlet.fire(turn, value)
      })
    }
    this.#askForNext(turn)
  }

  #start(turn: Turn, key: string, value: unknown): void {
    const waits = this.outlet.open(turn)[2]
    remove(waits, key)
    const wait: Wait = [turn.at + this.rules.afterMs, key, this.rules.keepsValue ? stored(value) : null]
    // Time does not run backwards, so the new one belongs at the end, among those of the same moment by key.
    let place = waits.length
    while (place > 0 && isAfter(waits[place - 1]!, wait)) place--
    waits.splice(place, 0, wait)
    if (waits.length > maxWaits) {
      waits.shift()
      turn.effects.suppressed(this.name, 'too_many_waits', turn.at)
    }
  }

  #cancel(turn: Turn, key: string): void {
    const waits = this.outlet.peek(turn)?.[2]
    if (waits === undefined) return
    if (this.rules.by === undefined) waits.length = 0
    else remove(waits, key)
  }

  #askForNext(turn: Turn): void {
    const next = this.outlet.peek(turn)?.[2][0]
    if (next !== undefined) turn.lookAgainAt(next[0])
  }

  #keyOf(value: unknown): string {
    if (this.rules.by === undefined) return ''
    const key = this.rules.by(value as never)
    if (typeof key === 'string' && key.length <= maxKeyLength) return stored(key) as string
    if (typeof key === 'number' && Number.isFinite(key)) return String(key)
    const got = typeof key === 'string' ? `${key.length} characters` : kindOf(key)
    throw new TypeError(`waits by a number or by text of at most ${maxKeyLength} characters, got ${got}`)
  }
}

function isAfter(left: Wait, right: Wait): boolean {
  return left[0] > right[0] || (left[0] === right[0] && left[1] > right[1])
}

function remove(waits: Wait[], key: string): void {
  const place = waits.findIndex(wait => wait[1] === key)
  if (place !== -1) waits.splice(place, 1)
}
