/** Everything that `operators/`, `profiles/` and the composition root may use of the engine. */
export { Event, loneSurrogate, maxKeyLength, type EventChange, type Origin } from './event.js'
export { Drop, Reject, drop, reject } from './outcome.js'
export {
  defineOperator,
  type HashMemory,
  type Operator,
  type OperatorDeclaration,
  type Outcome,
  type Stage,
  type StageContext,
  type StageDefinition,
  type StageSetup,
} from './operator.js'
export {
  anything,
  bytes,
  duration,
  durationMs,
  longestWait,
  flag,
  fn,
  oneOf,
  parseBytes,
  parseDuration,
  text,
  textMap,
  texts,
  whole,
  type OptionSpec,
  type OptionSpecs,
  type OptionValues,
} from './options.js'
export { Problems } from './problems.js'
export { MillraceError, errorTable, messageOf, type ErrorAction, type ErrorCode } from './errors.js'
export type { Effects, ProfileModel, ProfileState, ProfileView, StoredLayout } from './model.js'
export { withoutNothing, type Protection, type Without } from './protections.js'
export { readSetFile } from './config/set-file.js'
export { generationSuffix } from './generation.js'
export { freshMeta } from './store.js'
export type {
  Claim,
  Commit,
  CommitOutcome,
  MemoryBucket,
  MemoryWrite,
  MetaUpdate,
  PartitionMeta,
  ProfileStore,
  ProfileWrite,
  SealOutcome,
  Timer,
  TimerWrite,
} from './store.js'
export { pipeline, type Pipeline, type PipelineOptions, type ProfileDefinition } from './pipeline.js'
