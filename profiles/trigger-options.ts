/** Options of a trigger: as written, and checked. */
import { parseDuration, type Problems } from '../engine/index.js'
import { checkFunction, checkTypes, type EventType, type OneOrMore } from './names.js'
import type { Plain } from './plain.js'
import type { Cap } from './triggers/gate.js'

export interface TriggerOptions<Events, Traits, On extends EventType<Events>, Unless extends EventType<Events>> {
  /** Event types to decide at. Without it the trigger fires when `when` begins to hold, by whatever event or by time. */
  readonly on?: OneOrMore<On>
  /** Fires only when this holds; without `every`, only when it begins to hold; with `after`, if it holds at that moment. */
  readonly when?: (p: Traits, value: Events[On]) => boolean
  /** Fires at each `on` event at which `when` holds, not only at the first. */
  readonly every?: boolean
  /** Waits this long after the `on` event, such as `'30m'`, and fires then, unless one of `unless` has happened. */
  readonly after?: string
  /** Event types that end the wait. */
  readonly unless?: OneOrMore<Unless>
  /** What is waited for, when there may be several at once: an `unless` event ends only the wait of the same key. */
  readonly by?: (value: Events[On | Unless]) => string | number
  /** At most this often: `'3/7d'`. */
  readonly cap?: string
  /** At least this long between two. */
  readonly cooldown?: string
  /** What is published; `{}` without it. `value` is that of the `on` event. */
  readonly emit?: (p: Traits, value: Events[On]) => { readonly [name: string]: Plain }
}

/** A checked trigger, for the model. Meaningless when problems were added. */
export interface TriggerSpec {
  readonly name: string
  readonly on: readonly string[] | undefined
  readonly when: ((p: never, value: never) => unknown) | undefined
  readonly every: boolean
  readonly afterMs: number | undefined
  readonly unless: readonly string[]
  readonly by: ((value: never) => unknown) | undefined
  readonly cap: Cap | undefined
  readonly cooldownMs: number | undefined
  readonly emit: ((p: never, value: never) => unknown) | undefined
  readonly fingerprint: unknown
}

/** All fires of a window are kept in the profile. */
const maxCap = 100

const optionNames = ['on', 'when', 'every', 'after', 'unless', 'by', 'cap', 'cooldown', 'emit'] as const

type Written = { readonly [Name in (typeof optionNames)[number]]?: unknown }

export function checkTrigger(
  name: string,
  options: Written,
  ttlMs: number | undefined,
  problems: Problems,
): TriggerSpec {
  problems.addUnknown(options, optionNames)
  const on = typesOf(options.on, 'on', problems)
  const unless = typesOf(options.unless, 'unless', problems)
  const afterMs = durationOf(options.after, 'after', problems)
  for (const option of ['when', 'by', 'emit'] as const) {
    if (options[option] !== undefined) checkFunction(problems, option, options[option])
  }
  if (options.every !== undefined && typeof options.every !== 'boolean') {
    problems.add('every', 'must be true or false', options.every)
  }
  if (on === undefined) {
    if (options.when === undefined) problems.add('', 'must have `on`, `when` or both')
    for (const option of ['every', 'after'] as const)
      if (options[option] !== undefined) problems.add(option, 'needs `on`')
  }
  if (options.after === undefined) {
    for (const option of ['unless', 'by'] as const)
      if (options[option] !== undefined) problems.add(option, 'needs `after`')
  } else if (options.every !== undefined) problems.add('every', 'has no meaning with `after`')
  if (afterMs !== undefined && ttlMs !== undefined && afterMs >= ttlMs) {
    problems.add('after', "must be shorter than the profile's ttl", options.after)
  }
  const cap = capOf(options.cap, problems)
  const cooldownMs = durationOf(options.cooldown, 'cooldown', problems)
  // What fired is forgotten with the profile, and with it that a cap or a cooldown still holds.
  for (const [option, ms = 0] of [
    ['cap', cap?.windowMs],
    ['cooldown', cooldownMs],
  ] as const) {
    if (ttlMs !== undefined && ms > ttlMs) {
      problems.add(option, "must not be longer than the profile's ttl", options[option])
    }
  }
  return {
    name,
    on,
    when: options.when as TriggerSpec['when'],
    every: options.every === true,
    afterMs,
    unless: unless ?? [],
    by: options.by as TriggerSpec['by'],
    cap,
    cooldownMs,
    emit: options.emit as TriggerSpec['emit'],
    fingerprint: [name, ...optionNames.map(option => sourceOf(options[option]))],
  }
}

function sourceOf(option: unknown): unknown {
  return typeof option === 'function' ? String(option) : option
}

function typesOf(input: unknown, path: string, problems: Problems): readonly string[] | undefined {
  if (input === undefined) return undefined
  const types = (Array.isArray(input) ? input : [input]) as string[]
  checkTypes(problems, path, types)
  return types
}

function durationOf(input: unknown, path: string, problems: Problems): number | undefined {
  if (input === undefined) return undefined
  const ms = parseDuration(input)
  if (!ms) problems.add(path, 'must be a duration such as "10m"', input)
  return ms
}

function capOf(input: unknown, problems: Problems): Cap | undefined {
  if (input === undefined) return undefined
  const [count, window] = typeof input === 'string' ? input.split('/') : []
  const cap = { count: /^\d+$/.test(count ?? '') ? Number(count) : 0, windowMs: parseDuration(window) ?? 0 }
  if (cap.count >= 1 && cap.count <= maxCap && cap.windowMs > 0) return cap
  problems.add('cap', `must be a number up to ${maxCap} and a duration such as "3/7d"`, input)
  return undefined
}
