/**
 * What a pipeline's author imports, and nothing else. An allow-list: making something public is one line here.
 *
 *     import { decodeAvro, dedupe, events, pipeline } from 'millrace'
 */
export { pipeline, type Pipeline, type PipelineOptions, type ProfileDefinition } from './pipeline.js'
export { Event, type EventChange } from './event.js'
export { drop, reject, type Drop, type Reject } from './outcome.js'
export {
  defineOperator,
  type Operator,
  type OperatorDeclaration,
  type Outcome,
  type Stage,
  type StageContext,
  type StageSetup,
} from './operator.js'
export { anything, bytes, duration, flag, fn, group, oneOf, secret, text, textMap, texts, whole } from './options.js'
export {
  decodeAvro,
  decodeJson,
  dedupe,
  dropLate,
  enrichTable,
  filter,
  map,
  split,
  validate,
  type Part,
  type UserEvent,
} from '../operators/index.js'
export {
  events,
  type Plain,
  type Profile,
  type ProfileOptions,
  type Ranked,
  type Scalar,
  type SnapshotOf,
  type Trait,
  type TriggerOptions,
  type Vocabulary,
} from '../profiles/index.js'
