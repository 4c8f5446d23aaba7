/**
 * What the model's partition computes: small, but it depends on order, on every single event, and on which definition was in
 * force, so that an event lost, repeated or folded by the wrong definition shows.
 */

export interface StreamEvent {
  readonly seq: number
  /** Tells contents apart: after a broker lost events, another event has the same sequence. */
  readonly id: number
  readonly key: string
  readonly amount: number
}

export type Definition = 'old' | 'new'

export interface Profile {
  readonly value: number
  /** Last position folded into it. */
  readonly lastSeq: number
}

export interface Trigger {
  /** Coordinate: rises within the partition, the same in every replay. */
  readonly at: number
  readonly body: string
}

export const emptyProfile: Profile = { value: 0, lastSeq: 0 }

const step = 5
/** More than one event can trigger. */
const maxOrdinals = 4

/** Counts up, and triggers at each multiple of `step`. The new definition counts double. */
export function fold(
  profile: Profile,
  event: StreamEvent,
  definition: Definition,
): { readonly profile: Profile; readonly triggers: readonly Trigger[] } {
  const value = profile.value + event.amount * (definition === 'new' ? 2 : 1)
  const triggers: Trigger[] = []
  for (let mark = Math.floor(profile.value / step) + 1; mark <= Math.floor(value / step); mark++) {
    triggers.push({
      at: event.seq * maxOrdinals + triggers.length,
      body: `${event.key} reached ${mark * step} with ${value} by event ${event.id}`,
    })
  }
  return { profile: { value, lastSeq: event.seq }, triggers }
}

/** Sequence of the event that a trigger follows. */
export function positionOf(trigger: Trigger): number {
  return Math.floor(trigger.at / maxOrdinals)
}
