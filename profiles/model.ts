/**
 * Runs a definition: `fold` applies an event, `fire` lets time pass. Both go through turns, and every turn that time alone
 * brings is taken at the very moment it falls due, before any later event, whenever the engine gets to it. So results depend on
 * events and their times only, never on batches, restarts or how late a timer was.
 */
import {
  messageOf,
  reject,
  type Effects,
  type Event,
  type ProfileModel,
  type ProfileView,
  type Reject,
  type StoredLayout,
} from '../engine/index.js'
import { Codec } from './codec.js'
import { HeldEffects } from './held-effects.js'
import { buildParts, type Parts } from './parts.js'
import type { Route } from './route.js'
import { Snapshot } from './snapshot.js'
import type { ProfileSpec } from './spec.js'
import type { State } from './state.js'
import type { Occurrence } from './traits/kind.js'
import { Turn } from './turn.js'

export class Model implements ProfileModel<State> {
  readonly name: string
  readonly layout: StoredLayout
  readonly traits: readonly string[]
  readonly segments: readonly string[]
  readonly triggers: readonly string[]
  /** Traits that hold personal data. */
  readonly personalTraits: readonly string[]
  readonly ttlMs: number | undefined
  readonly #maxBytes: number
  readonly #parts: Parts
  readonly #codec: Codec
  readonly #snapshot: Snapshot
  readonly #occurrence: Occurrence = { at: 0, seq: 0, now: 0 }

  constructor(spec: ProfileSpec) {
    const parts = buildParts(spec)
    this.name = spec.name
    this.layout = parts.layout
    this.traits = parts.traits.map(trait => trait.name)
    this.segments = parts.segments.map(segment => segment.name)
    this.triggers = parts.triggers.map(trigger => trigger.name)
    this.personalTraits = parts.traits.filter(trait => trait.isPersonal).map(trait => trait.name)
    this.ttlMs = spec.ttlMs
    this.#maxBytes = spec.maxBytes
    this.#parts = parts
    this.#codec = new Codec(parts.layout, parts.traits.length, () => [
      ...parts.traits.map(trait => trait.kind.empty()),
      ...parts.segments.map(() => 0),
      ...parts.triggers.map(() => null),
    ])
    this.#snapshot = new Snapshot(parts.traits)
  }

  learnLayout(layout: StoredLayout): void {
    this.#codec.learn(layout)
  }

  knowsLayout(id: number): boolean {
    return this.#codec.knows(id)
  }

  layoutOf(bytes: Buffer): number {
    return this.#codec.layoutOf(bytes)
  }

  create(key: string): State {
    return this.#codec.create(key)
  }

  decode(key: string, bytes: Buffer): State {
    return this.#codec.decode(key, bytes)
  }

  encode(state: State): Buffer {
    return this.#codec.encode(state)
  }

  isEmpty(state: State): boolean {
    return state.updatedAt === 0
  }

  hears(type: string): boolean {
    return this.#parts.routes.has(type)
  }

  fold(state: State, event: Event, now: number, effects: Effects): Reject | undefined {
    const route = this.#parts.routes.get(event.type)
    // One that the stored form has seen is a replay.
    if (route === undefined || event.seq <= state.loadedSeq) return undefined
    const growthBytes = route.select(event)
    if (state.boundBytes + growthBytes > this.#maxBytes) return this.#foldMeasured(state, route, event, now, effects)
    state.boundBytes += growthBytes
    this.#apply(state, route, event, now, effects)
    return undefined
  }

  fire(state: State, now: number, effects: Effects): void {
    while (state.dueAt <= now) this.#pass(state, state.dueAt, effects)
  }

  view(state: State, now: number): ProfileView {
    if (this.#expiresAt(state) <= now) return this.view(this.create(state.key), now)
    const { traits, segments } = this.#parts
    const changed = traits.filter(({ index }) => state.changedAt[index] !== 0)
    const inside = segments.filter(({ slot }) => state.slots[slot] !== 0)
    return {
      key: state.key,
      traits: Object.fromEntries(traits.map(({ name, index, kind }) => [name, kind.read(state.slots[index], now)])),
      changedAt: Object.fromEntries(changed.map(({ name, index }) => [name, state.changedAt[index]!])),
      segments: Object.fromEntries(inside.map(({ name, slot }) => [name, state.slots[slot] as number])),
      updatedAt: state.updatedAt,
      lastSeq: state.lastSeq,
    }
  }

  /**
   * The same where the size cap may be hit: the sizes before and after decide, not the bound that led here, because that
   * depends on when the profile was last encoded. An event that does not grow its profile passes even when that is too large.
   */
  #foldMeasured(state: State, route: Route, event: Event, now: number, effects: Effects): Reject | undefined {
    const before = this.encode(state)
    const held = new HeldEffects()
    this.#apply(state, route, event, now, held)
    const { length } = this.encode(state)
    if (length > this.#maxBytes && length > before.length) {
      this.#codec.restore(state, before)
      return reject('profile_too_large', `the profile would take ${length} bytes, the cap is ${this.#maxBytes}`)
    }
    held.release(effects)
    return undefined
  }

  #apply(state: State, route: Route, event: Event, now: number, effects: Effects): void {
    this.fire(state, now, effects)
    // One that is in a segment had a timer for this; the others expire when somebody looks.
    if (this.#expiresAt(state) <= now) this.#expire(state, effects)
    this.#foldTraits(state, route, event, now, effects)
    state.lastSeq = event.seq
    state.updatedAt = now
    const turn = new Turn(state, this.#snapshot, now, effects, event, route.touched)
    this.#snapshot.show(state, now)
    for (const segment of this.#parts.segments) segment.evaluate(turn)
    for (const trigger of route.triggers) trigger.onEvent(turn)
    state.isEvaluated = true
    // A timer is only ever moved forward: one that rings early looks, finds nothing, and is set anew.
    this.#arm(state, Math.min(state.dueAt, turn.dueAt))
  }

  #foldTraits(state: State, route: Route, event: Event, now: number, effects: Effects): void {
    const occurrence = this.#occurrence
    occurrence.at = event.occurredAt
    occurrence.seq = event.seq
    occurrence.now = now
    const { slots, changedAt } = state
    for (let i = 0; i < route.traits.length; i++) {
      const input = route.inputs[i]
      if (input === undefined || input === null) continue
      const trait = route.traits[i]!
      if (trait.isLate?.(occurrence)) {
        effects.late(trait.name)
        continue
      }
      const { index } = trait
      try {
        slots[index] = trait.kind.fold(slots[index], input, occurrence)
      } catch (cause) {
        throw new TypeError(`trait ${trait.name} ${messageOf(cause)}`, { cause })
      }
      if (event.occurredAt > changedAt[index]!) changedAt[index] = event.occurredAt
    }
  }

  /** The moment `at` without an event. */
  #pass(state: State, at: number, effects: Effects): void {
    if (this.#expiresAt(state) <= at) return this.#expire(state, effects)
    state.boundBytes += this.#parts.momentGrowthBytes
    const turn = new Turn(state, this.#snapshot, at, effects, undefined, undefined)
    this.#snapshot.show(state, at)
    for (const segment of this.#parts.segments) segment.evaluate(turn)
    for (const trigger of this.#parts.triggers) trigger.onTime(turn)
    state.isEvaluated = true
    this.#arm(state, turn.dueAt)
  }

  /**
   * Not beyond the profile's end, when the store may drop it. Whoever asked for later is asked again then, if events have put the end off;
   * the end itself is only worth a look to leave segments.
   */
  #arm(state: State, dueAt: number): void {
    const isAwaited = dueAt < Infinity || this.#parts.segments.some(({ slot }) => state.slots[slot] !== 0)
    state.dueAt = isAwaited ? Math.min(dueAt, this.#expiresAt(state)) : Infinity
  }

  #expire(state: State, effects: Effects): void {
    const at = this.#expiresAt(state)
    for (const segment of this.#parts.segments) segment.exit({ state, effects, at })
    this.#codec.clear(state)
  }

  #expiresAt({ updatedAt }: State): number {
    return this.ttlMs === undefined || updatedAt === 0 ? Infinity : updatedAt + this.ttlMs
  }
}
