/** Checks decoded events against JSON Schemas and against predicates of the definition. */
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { Ajv, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { MillraceError, Problems, anything, defineOperator, messageOf, reject } from '../engine/index.js'
import { type UserEvent, asUserEvent, verifySynchronous } from './user-function.js'

type Rules = Readonly<Record<string, (event: UserEvent) => boolean>>

/** Rejects events that do not match their schema or break a rule. */
export const validate = defineOperator({
  name: 'validate',
  summary: 'Reject events that do not match a JSON Schema or break a rule of the definition.',
  options: {
    schema: anything({ doc: 'JSON Schema of every value: a file, or the schema itself.', optional: true }),
    schemas: anything({
      doc: 'JSON Schemas by event type: a folder with `<type>.json`, or an object of files or schemas. Other types pass.',
      optional: true,
    }),
    rules: anything({
      doc: 'Named predicates over the event, `{ total_not_negative: event => event.value.total >= 0 }`; all must hold.',
      optional: true,
    }),
  },
  rejects: ['schema', 'rule'],
  cost: 'About 0.2 us for a flat record. Schemas are compiled at the start; draft 2020-12 unless `$schema` says draft-07.',
  verify: ({ schema, schemas, rules }, problems) => {
    if (schema === undefined && schemas === undefined && rules === undefined) {
      problems.add('', 'must have schema, schemas or rules')
    }
    if (schema !== undefined && !isText(schema) && !isSchema(schema))
      problems.add('schema', 'must be a file or a schema', schema)
    if (schemas !== undefined && !isText(schemas) && !isObject(schemas)) {
      problems.add('schemas', 'must be a folder or an object of schemas', schemas)
    }
    if (rules !== undefined) verifyRules(rules, problems)
  },
  create: async ({ schema, schemas, rules }, setup) => {
    const problems = new Problems()
    const compile = compiler(problems)
    const forAll =
      schema === undefined ? undefined : compile('schema', await load(schema, setup.folder, 'schema', problems))
    const byType = new Map<string, ValidateFunction | undefined>()
    for (const [type, given] of await listSchemas(schemas, setup.folder, problems)) {
      byType.set(type, compile(`schemas.${type}`, await load(given, setup.folder, `schemas.${type}`, problems)))
    }
    if (!problems.isEmpty) {
      throw new MillraceError('pipeline_invalid', 'the schemas of validate have problems', { lines: problems.list })
    }
    const named = Object.entries((rules ?? {}) as Rules)

    return {
      process: event => {
        if (forAll !== undefined && !forAll(event.value)) return reject('schema', describe(forAll.errors))
        const forType = byType.get(event.type)
        if (forType !== undefined && !forType(event.value)) return reject('schema', describe(forType.errors))
        for (const [name, holds] of named) if (!holds(asUserEvent(event))) return reject('rule', name)
        return event
      },
    }
  },
})

function verifyRules(rules: unknown, problems: Problems): void {
  if (!isObject(rules)) return problems.add('rules', 'must be an object of functions', rules)
  for (const [name, rule] of Object.entries(rules)) {
    if (!/^[a-z][a-z0-9_]*$/.test(name)) problems.add(`rules.${name}`, 'must have a lower_snake name')
    if (typeof rule === 'function') verifySynchronous(`rules.${name}`, rule as Rules[string], problems)
    else problems.add(`rules.${name}`, 'must be a function', rule)
  }
}

async function listSchemas(given: unknown, folder: string, problems: Problems): Promise<[string, unknown][]> {
  if (given === undefined) return []
  if (!isText(given)) return Object.entries(given as object)
  try {
    const files = (await readdir(path.resolve(folder, given))).filter(file => file.endsWith('.json')).sort()
    if (files.length === 0) problems.add('schemas', 'must be a folder with .json files', given)
    return files.map(file => [file.slice(0, -'.json'.length), path.join(given, file)])
  } catch (cause) {
    problems.add('schemas', `cannot be read (${messageOf(cause)})`)
    return []
  }
}

async function load(given: unknown, folder: string, place: string, problems: Problems): Promise<unknown> {
  if (!isText(given)) return given
  try {
    return JSON.parse(await readFile(path.resolve(folder, given), 'utf8')) as unknown
  } catch (cause) {
    problems.add(place, `cannot be read (${messageOf(cause)})`)
    return true
  }
}

/** Nothing that edits the value (defaults, coercion, removal) is switched on: events are not changed here. */
function compiler(problems: Problems): (place: string, schema: unknown) => ValidateFunction | undefined {
  const settings = { strict: true, allErrors: false }
  const latest = new Ajv2020(settings)
  const draft07 = new Ajv(settings)
  for (const ajv of [latest, draft07]) formats.default(ajv)

  return (place, schema) => {
    if (!isSchema(schema)) {
      problems.add(place, 'must be a file or a schema', schema)
      return undefined
    }
    try {
      const isDraft07 = isObject(schema) && String(schema['$schema']).includes('draft-07')
      const check = (isDraft07 ? draft07 : latest).compile(schema as AnySchema)
      if (!('$async' in check)) return check
      problems.add(place, 'must not be asynchronous')
    } catch (cause) {
      problems.add(place, `cannot be used: ${messageOf(cause)}`)
    }
    return undefined
  }
}

/** Where and which rule, without the value. */
function describe(errors: ErrorObject[] | null | undefined): string {
  const [first] = errors ?? []
  return first === undefined ? 'does not match' : `${first.instancePath || 'value'} ${first.message ?? first.keyword}`
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSchema(value: unknown): boolean {
  return typeof value === 'boolean' || isObject(value)
}
