/** JSON Schemas out of files, folders or the definition itself, compiled. */
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { Ajv, type AnySchema, type ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { type OptionSpec, type Problems, messageOf } from '../engine/index.js'

/** A file's name, or the schema itself. */
export type SchemaSource = string | boolean | Readonly<Record<string, unknown>>
/** A folder with `<type>.json`, or a source for each event type. */
export type SchemasSource = string | Readonly<Record<string, SchemaSource>>

export type SchemaCheck = ValidateFunction

/** The option for one schema. */
export function schemaOption(doc: string): OptionSpec<SchemaSource | undefined, SchemaSource, true> {
  return {
    doc,
    kind: 'file or schema',
    isOptional: true,
    fallback: undefined,
    parse: (input, problems, place) => {
      if (isSource(input)) return input
      problems.add(place, 'must be a file or a schema', input)
      return undefined
    },
  }
}

/** The option for a schema per event type. */
export function schemasOption(doc: string): OptionSpec<SchemasSource | undefined, SchemasSource, true> {
  return {
    doc,
    kind: 'folder, or files or schemas by type',
    isOptional: true,
    fallback: undefined,
    parse: (input, problems, place) => {
      if (typeof input === 'string' || (isObject(input) && Object.values(input).every(isSource))) {
        return input as SchemasSource
      }
      problems.add(place, 'must be a folder or an object of files or schemas', input)
      return undefined
    },
  }
}

/** Sources by event type; a folder's are its files. */
export async function listSources(
  given: SchemasSource | undefined,
  folder: string,
  problems: Problems,
): Promise<[type: string, source: SchemaSource][]> {
  if (typeof given !== 'string') return Object.entries(given ?? {})
  try {
    const files = (await readdir(path.resolve(folder, given))).filter(file => file.endsWith('.json')).sort()
    if (files.length === 0) problems.add('schemas', 'must be a folder with .json files', given)
    return files.map(file => [file.slice(0, -'.json'.length), path.join(given, file)])
  } catch (cause) {
    problems.add('schemas', `cannot be read (${messageOf(cause)})`)
    return []
  }
}

/**
 * Loads and compiles one source after another. What cannot be used becomes a problem at its place, and `undefined`.
 * Nothing that edits a value (defaults, coercion, removal) is switched on.
 */
export function schemaCompiler(folder: string, problems: Problems) {
  // Strict finds misspelled keywords. Its other opinions refuse schemas that mean something: required members whose type does
  // not matter, and `type: ['string', 'number']`.
  const settings = { strict: true, strictRequired: false, allowUnionTypes: true, allErrors: false }
  const latest = new Ajv2020(settings)
  const draft07 = new Ajv(settings)
  for (const ajv of [latest, draft07]) formats.default(ajv)

  const load = async (source: SchemaSource): Promise<unknown> =>
    typeof source === 'string' ? JSON.parse(await readFile(path.resolve(folder, source), 'utf8')) : source

  return async (place: string, source: SchemaSource): Promise<SchemaCheck | undefined> => {
    try {
      const schema = await load(source)
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

function isSource(value: unknown): value is SchemaSource {
  return (typeof value === 'string' && value !== '') || typeof value === 'boolean' || isObject(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
