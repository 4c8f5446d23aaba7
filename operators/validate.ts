/** Checks decoded events against JSON Schemas (`json-schemas.ts`) and against predicates of the definition. */
import { MillraceError, type OptionSpec, Problems, defineOperator, reject } from '../engine/index.js'
import { type SchemaCheck, listSources, schemaCompiler, schemaOption, schemasOption } from './json-schemas.js'
import { type UserEvent, asUserEvent, verifySynchronous } from './user-function.js'

type Rules = Readonly<Record<string, (event: UserEvent) => boolean>>

const rulesOption: OptionSpec<Rules | undefined, Rules, true> = {
  doc: 'Named predicates over the event, `{ total_not_negative: (event: Event<Order>) => event.value.total >= 0 }`; all must hold.',
  kind: 'functions by name',
  isOptional: true,
  fallback: undefined,
  parse: (input, problems, path) => {
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      problems.add(path, 'must be an object of functions', input)
      return undefined
    }
    const rules = input as Rules
    for (const [name, rule] of Object.entries(rules)) {
      if (!/^[a-z][a-z0-9_]*$/.test(name)) problems.add(`${path}.${name}`, 'must have a lower_snake name')
      if (typeof rule === 'function') verifySynchronous(`${path}.${name}`, rule, problems)
      else problems.add(`${path}.${name}`, 'must be a function', rule)
    }
    return rules
  },
}

/** Rejects events that do not match their schema or break a rule. */
export const validate = defineOperator({
  name: 'validate',
  summary: 'Reject events that do not match a JSON Schema or break a rule of the definition.',
  options: {
    schema: schemaOption('JSON Schema of every value.'),
    schemas: schemasOption('JSON Schemas by event type; a folder has a file `<type>.json` for each. Other types pass.'),
    rules: rulesOption,
  },
  rejects: ['schema', 'rule'],
  cost: 'About 0.1 us for a flat record. Schemas are compiled at the start; draft 2020-12 unless `$schema` says draft-07.',
  verify: ({ schema, schemas, rules }, problems) => {
    if (schema === undefined && schemas === undefined && rules === undefined) {
      problems.add('options', 'must have schema, schemas or rules')
    }
  },
  create: async ({ schema, schemas, rules = {} }, { folder }) => {
    const problems = new Problems()
    const compile = schemaCompiler(folder, problems)
    const forAll = schema === undefined ? undefined : await compile('schema', schema)
    const byType = new Map<string, SchemaCheck | undefined>()
    for (const [type, source] of await listSources(schemas, folder, problems)) {
      byType.set(type, await compile(`schemas.${type}`, source))
    }
    if (!problems.isEmpty) {
      throw new MillraceError('pipeline_invalid', 'the schemas of validate have problems', { lines: problems.list })
    }
    const named = Object.entries(rules)

    return {
      process: event => {
        if (forAll !== undefined && !forAll(event.value)) return reject('schema', describe(forAll))
        const forType = byType.get(event.type)
        if (forType !== undefined && !forType(event.value)) return reject('schema', describe(forType))
        for (const [name, holds] of named) if (!holds(asUserEvent(event))) return reject('rule', name)
        return event
      },
    }
  },
})

/** Where the last check failed and by which rule, without the value. */
function describe({ errors }: SchemaCheck): string {
  const [first] = errors ?? []
  return first === undefined ? 'does not match' : `${first.instancePath || 'value'} ${first.message ?? first.keyword}`
}
