/** Functions of a user's definition, as options. */
import type { Event, Problems } from '../engine/index.js'

/**
 * What a user's function is given. `Event<never>` lets the user say what the value is,
 * `(event: Event<Order>) => event.value.total > 0`, which only the user can know.
 */
export type UserEvent = Event<never>

/** The same event, as the user's function wants to see it. */
export function asUserEvent(event: Event): UserEvent {
  return event as UserEvent
}

/** Says that a function is asynchronous: its promise would pass for a value, and for true. */
export function verifySynchronous(option: string, given: (event: UserEvent) => unknown, problems: Problems): void {
  if (Object.prototype.toString.call(given) === '[object AsyncFunction]') problems.add(option, 'must not be async')
}
