/** What `count(...)`, `sum(...)` and the others give: a trait as written, before its definition is checked. */
import type { Event } from '../engine/index.js'
import type { TraitKind } from './traits/kind.js'

/** Selects what is folded; `undefined` and `null` mean that the event has nothing to say about the trait. */
export type Select = (value: never, event: Event) => unknown

export interface TraitSpec {
  /** As called, for problems and the fingerprint: `top(5)`. */
  readonly call: string
  readonly types: readonly string[]
  readonly select: Select | undefined
  /** False for kinds that fold the event itself. */
  readonly selects: boolean
  readonly kind: TraitKind
  /** What is wrong with the arguments. */
  readonly problem: { readonly rule: string; readonly got: unknown } | undefined
  readonly window: string | undefined
  readonly where: Select | undefined
  readonly isPersonal: boolean
}

/** Immutable; each method gives a changed copy. */
export class Trait<Value = unknown, EventValue = unknown> {
  /** Type-level only. */
  declare readonly reads: Value

  constructor(readonly spec: TraitSpec) {}

  /** Counts only what happened within the window, such as `'10m'`. */
  within(window: string): Trait<Value, EventValue> {
    return new Trait({ ...this.spec, window })
  }

  /** Folds only events for which `test` holds. */
  where(test: (value: EventValue, event: Event) => boolean): Trait<Value, EventValue> {
    return new Trait({ ...this.spec, where: test as Select })
  }

  /** Marks personal data for whoever reads the definition; values are stored and shown like any other. */
  pii(): Trait<Value, EventValue> {
    return new Trait({ ...this.spec, isPersonal: true })
  }
}
