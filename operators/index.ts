/** Every operator, by its name in a definition, and as a list for the operator table and the conformance suite. */
import type { OperatorDeclaration, OptionSpecs, StageDefinition } from '../engine/index.js'
import { decodeAvro } from './decode-avro.js'
import { decodeJson } from './decode-json.js'
import { dedupe } from './dedupe.js'
import { dropLate } from './drop-late.js'
import { enrichTable } from './enrich-table.js'
import { filter } from './filter.js'
import { map } from './map.js'
import { split } from './split.js'
import { validate } from './validate.js'

export { decodeAvro, decodeJson, dedupe, dropLate, enrichTable, filter, map, split, validate }
export type { Part } from './split.js'
export type { UserEvent } from './user-function.js'

/** An operator whose options are not known by type: callable only by who checks at run time. */
export interface ListedOperator {
  (options?: never, name?: string): StageDefinition
  readonly declaration: Pick<
    OperatorDeclaration<OptionSpecs>,
    'name' | 'summary' | 'options' | 'drops' | 'rejects' | 'cost'
  >
}

/** In the order in which a pipeline usually has them. */
export const operators: readonly ListedOperator[] = [
  decodeAvro,
  decodeJson,
  validate,
  dropLate,
  dedupe,
  enrichTable,
  filter,
  map,
  split,
]
