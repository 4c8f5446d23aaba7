/** A definition after its checks: what the model is built from. */
import type { Trait } from './trait.js'
import type { TriggerSpec } from './trigger-options.js'

export interface TraitPlace {
  readonly name: string
  readonly trait: Trait
  readonly windowMs: number | undefined
}

export interface SegmentSpec {
  readonly name: string
  readonly test: (p: never) => unknown
}

export interface ProfileSpec {
  readonly name: string
  readonly ttlMs: number | undefined
  readonly maxBytes: number
  readonly traits: readonly TraitPlace[]
  readonly segments: readonly SegmentSpec[]
  readonly triggers: readonly TriggerSpec[]
}
