/** What must come of a workload, to the last profile and trigger: worked out from the messages alone, apart from the engine. */
import type { Tally, Totals, Workload } from './workload.js'

/** Trait values by name. A trait that reads `undefined` is left out. */
export type Traits = Readonly<Record<string, unknown>>

export interface Outcome {
  /** By key. There must be no other profile. */
  readonly profiles: ReadonlyMap<string, Traits>
  /** How often each trigger must be published, by what `triggerText` makes of it. There must be no other. */
  readonly triggers: ReadonlyMap<string, number>
}

export interface OutcomeTally extends Tally {
  outcome(): Outcome
}

/** A workload whose results can be checked one by one. */
export interface CheckedWorkload extends Workload {
  tally(): OutcomeTally
  totalsOf(traits: Traits): Totals
}

/** A trigger as text that is the same for equal ones. `data` as it is emitted: the order of its members counts. */
export function triggerText(name: string, key: string, data: unknown): string {
  return `${name} ${key} ${JSON.stringify(data)}`
}

/** Counts one more of it. */
export function countOne(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}
