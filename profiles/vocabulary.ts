/**
 * The words of a definition, typed by the events it is about:
 *
 *     const { profile, count, last } = events<ShopEvents>()
 *
 * `ShopEvents` maps each event type to the type of its value, so that a wrong event name or field does not compile.
 */
import { parseDuration, type Event } from '../engine/index.js'
import { Profile, type ProfileOptions } from './definition.js'
import type { EventType, OneOrMore } from './names.js'
import type { Plain, Scalar } from './plain.js'
import { Trait, type Select, type TraitSpec } from './trait.js'
import { count } from './traits/count.js'
import { distinct } from './traits/distinct.js'
import { first } from './traits/first.js'
import type { TraitKind } from './traits/kind.js'
import { last } from './traits/last.js'
import { max } from './traits/max.js'
import { mean } from './traits/mean.js'
import { min } from './traits/min.js'
import { recent } from './traits/recent.js'
import { since } from './traits/since.js'
import { sum } from './traits/sum.js'
import { top, type Ranked } from './traits/top.js'

/** A function from an event's value; `undefined` and `null`: the event leaves the trait as it is. */
export type From<Value, Selected> = (value: Value, event: Event) => Selected | null | undefined

type NumberTrait<Events, Read> = <Type extends EventType<Events>>(
  types: OneOrMore<Type>,
  value: From<Events[Type], number>,
) => Trait<Read, Events[Type]>

type PlainTrait<Events> = <Type extends EventType<Events>, Value extends Plain>(
  types: OneOrMore<Type>,
  value: From<Events[Type], Value>,
) => Trait<NonNullable<Value> | undefined, Events[Type]>

export interface Vocabulary<Events> {
  /** A definition; `name` is part of what is published. */
  profile<Traits extends Record<string, Trait>>(name: string, options: ProfileOptions<Traits>): Profile<Events, Traits>
  /** How many events. */
  count<Type extends EventType<Events>>(types: OneOrMore<Type>): Trait<number, Events[Type]>
  /** Total, exact to a millionth. 0 before the first event. */
  sum: NumberTrait<Events, number>
  min: NumberTrait<Events, number | undefined>
  max: NumberTrait<Events, number | undefined>
  mean: NumberTrait<Events, number | undefined>
  /** The value that happened first, by event time. */
  first: PlainTrait<Events>
  /** The value that happened last, by event time. */
  last: PlainTrait<Events>
  /** Whole units of `per` since the last event. */
  since<Type extends EventType<Events>>(
    types: OneOrMore<Type>,
    options: { readonly per: string },
  ): Trait<number | undefined, Events[Type]>
  /** The last `limit` values, latest first. */
  recent<Type extends EventType<Events>, Value extends Plain>(
    limit: number,
    types: OneOrMore<Type>,
    value: From<Events[Type], Value>,
  ): Trait<readonly NonNullable<Value>[], Events[Type]>
  /** The `k` most frequent values with their counts. */
  top<Type extends EventType<Events>, Value extends Scalar>(
    k: number,
    types: OneOrMore<Type>,
    value: From<Events[Type], Value>,
  ): Trait<readonly Ranked<Value>[], Events[Type]>
  /** How many different values; exact up to 64, then within about 2.3 %. */
  distinct<Type extends EventType<Events>>(
    types: OneOrMore<Type>,
    value: From<Events[Type], Scalar>,
  ): Trait<number, Events[Type]>
}

/** The vocabulary for one set of events. */
export function events<Events extends object>(): Vocabulary<Events> {
  // The words are the same for all events; only their types differ.
  return words as never
}

/** At most this many values in `recent` and rows in `top`. */
export const maxListed = 100

/** A kind that folds what a function selects. */
const selecting = (kind: TraitKind) => (types: OneOrMore<string>, select: Select) =>
  trait({ call: kind.name, kind, types, select, selects: true })

const words = {
  profile: (name: string, options: ProfileOptions<Record<string, Trait>>) => new Profile(name, options),
  count: (types: OneOrMore<string>) => trait({ call: 'count', kind: count, types }),
  sum: selecting(sum),
  min: selecting(min),
  max: selecting(max),
  mean: selecting(mean),
  first: selecting(first),
  last: selecting(last),
  distinct: selecting(distinct),
  since: (types: OneOrMore<string>, options: { per: string }) => {
    const perMs = parseDuration(options?.per)
    const problem = perMs ? undefined : { rule: 'needs a duration such as { per: "1h" }', got: options?.per }
    return trait({ call: `since(${options?.per})`, kind: since(perMs || 1), types, problem })
  },
  recent: (limit: number, types: OneOrMore<string>, select: Select) =>
    trait({ call: `recent(${limit})`, kind: recent(limit), types, select, selects: true, problem: listed(limit) }),
  top: (k: number, types: OneOrMore<string>, select: Select) =>
    trait({ call: `top(${k})`, kind: top(k), types, select, selects: true, problem: listed(k) }),
}

function listed(limit: unknown): TraitSpec['problem'] {
  if (Number.isInteger(limit) && (limit as number) >= 1 && (limit as number) <= maxListed) return undefined
  return { rule: `must list a whole number of values from 1 to ${maxListed}`, got: limit }
}

type Given = Pick<TraitSpec, 'call' | 'kind'> & Partial<TraitSpec>

function trait({ types, ...given }: Omit<Given, 'types'> & { readonly types: OneOrMore<string> }): Trait {
  return new Trait({
    select: undefined,
    selects: false,
    problem: undefined,
    window: undefined,
    where: undefined,
    isPersonal: false,
    ...given,
    types: typeof types === 'string' ? [types] : types,
  })
}
