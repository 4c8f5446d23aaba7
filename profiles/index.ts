/** What pipeline authors and the composition root use of the profiles. */
export { events, type From, type Vocabulary } from './vocabulary.js'
export { Profile, type ProfileOptions, type SnapshotOf } from './definition.js'
export type { TriggerOptions } from './trigger-options.js'
export type { Plain, Scalar } from './plain.js'
export { Trait } from './trait.js'
export type { Ranked } from './traits/top.js'
