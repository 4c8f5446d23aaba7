/**
 * What the engine asks of a profile definition. `profiles/` implements it; the engine calls it and never looks inside a
 * state. Everything here is synchronous, free of I/O and deterministic in (state, event, now).
 */
import type { Event } from './event.js'
import type { Reject } from './outcome.js'

/** The part of a decoded profile that the engine reads. Only the model writes to it. */
export interface ProfileState {
  readonly key: string
  /** Position that the stored form had reached when it was loaded; 0 for a new profile. */
  readonly loadedSeq: number
  /** Position of the last event folded into it. */
  readonly lastSeq: number
  /** When the engine must call `fire`, epoch milliseconds; `Infinity` when time alone changes nothing. */
  readonly dueAt: number
  /** Size of the stored form as last encoded or decoded, bytes. */
  readonly storedBytes: number
}

/** Where a fold puts what must leave the engine. The engine numbers, addresses and publishes it after the commit. */
export interface Effects {
  trigger(name: string, at: number, data: unknown): void
  suppressed(name: string, reason: string, at: number): void
  segment(name: string, change: 'entered' | 'exited', at: number): void
  /** A segment's condition threw when time alone had passed; the profile stays where it is. */
  failed(segment: string): void
  /** An event older than a trait's window: counted, not applied to that trait. */
  late(trait: string): void
}

/** A stored layout: which trait, segment or trigger a slot of the stored form belongs to. */
export interface StoredLayout {
  /** Content hash, unsigned 32-bit. */
  readonly id: number
  readonly json: string
}

/** A profile as people see it. */
export interface ProfileView {
  readonly key: string
  /** Value of each trait now; personal data included. */
  readonly traits: Readonly<Record<string, unknown>>
  /** Epoch milliseconds at which each trait last changed by an event. */
  readonly changedAt: Readonly<Record<string, number>>
  /** Segments the profile is in, with the time it entered. */
  readonly segments: Readonly<Record<string, number>>
  readonly updatedAt: number
  readonly lastSeq: number
}

/** True of what is seen of a profile that has expired: the store keeps it some time longer. */
export function isGone({ updatedAt }: ProfileView): boolean {
  return updatedAt === 0
}

export interface ProfileModel<State extends ProfileState = ProfileState> {
  readonly name: string
  readonly layout: StoredLayout
  readonly triggers: readonly string[]
  readonly segments: readonly string[]
  readonly traits: readonly string[]
  /** Stored form expires this long after the last event; `undefined`: never. Milliseconds. */
  readonly ttlMs: number | undefined

  /** Makes an older layout readable. Idempotent. */
  learnLayout(layout: StoredLayout): void
  knowsLayout(id: number): boolean
  /** A new, empty profile. */
  create(key: string): State
  /** Throws `MillraceError('profile_unreadable')`. The id of the layout needed is `layoutOf(bytes)`. */
  decode(key: string, bytes: Buffer): State
  layoutOf(bytes: Buffer): number
  /** Deterministic: equal states give equal bytes. */
  encode(state: State): Buffer
  /** True when nothing is left to store: the key can be deleted. */
  isEmpty(state: State): boolean
  /** False when an event of this type leaves no trace in any profile. */
  hears(type: string): boolean
  /**
   * Applies one event. `now` is the partition's time: at least the event's `receivedAt`. A returned reject (profile too
   * large) leaves the state unchanged. A throw from the user's code leaves the state undefined: the engine reloads it.
   */
  fold(state: State, event: Event, now: number, effects: Effects): Reject | undefined
  /** Time has reached `state.dueAt`; afterwards `dueAt` lies after `now`. */
  fire(state: State, now: number, effects: Effects): void
  view(state: State, now: number): ProfileView
}
