/** What names and event types may look like, and how a definition says so. */
import type { Problems } from '../engine/index.js'

export type EventType<Events> = keyof Events & string
/** One event type or a list of them. */
export type OneOrMore<Type> = Type | readonly Type[]

/** Names of traits, segments and triggers are parts of NATS subjects, metric labels and TypeScript properties. */
export function isName(name: unknown): boolean {
  return typeof name === 'string' && /^[a-z][A-Za-z0-9_]{0,63}$/.test(name)
}

export function checkName(problems: Problems, path: string, name: unknown): void {
  if (isName(name)) return
  problems.add(path, 'must have a name of at most 64 letters, digits or "_" that starts with a small letter', name)
}

/** Event types are tokens of NATS subjects. */
export function checkTypes(problems: Problems, path: string, types: unknown): void {
  if (!Array.isArray(types)) return problems.add(path, 'must name an event type', types)
  if (types.length === 0) problems.add(path, 'must name an event type')
  for (const type of types as unknown[]) {
    if (typeof type !== 'string' || !/^[A-Za-z0-9_-]+$/.test(type)) problems.add(path, 'must name event types', type)
  }
}

/** A promise would pass for a value, and for true; and a fold does not wait. */
export function checkFunction(problems: Problems, path: string, given: unknown): void {
  if (typeof given !== 'function') problems.add(path, 'must be a function', given)
  else if (Object.prototype.toString.call(given) === '[object AsyncFunction]') problems.add(path, 'must not be async')
}
