/**
 * A folder of schemas:
 *
 *   order_placed.avsc       how events of type order_placed are read, and the newest way to write them
 *   order_placed@1.avsc     how older producers wrote them; any text may follow the @
 *   ids.json                for Confluent framing: { "17": "order_placed@1.avsc", "<guid>": "order_placed.avsc" }
 *
 * Each file stands alone. Every problem of the folder is found at the start, all at once: an event should not be the first
 * to learn that its schema cannot be read.
 */
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import type { Resolver, Schema, Type } from 'avsc'
import { MillraceError, Problems, messageOf } from '../../engine/index.js'
import { type Longs, buildType, decodedForm } from './build-type.js'
import { fingerprint } from './fingerprint.js'
import { IdentityMap, confluentIdentity, fingerprintIdentity } from './framing.js'

/** Decodes records of one writer schema as the reader schema. */
export interface Writer {
  readonly reader: Type
  /** `undefined` when the writer schema is the reader schema. */
  readonly resolver: Resolver | undefined
}

/** All schemas of one event type. */
export interface SchemaFamily {
  /** Reads what was written with the reader schema itself. */
  readonly current: Writer
  /** By the identity that the framing carries. */
  readonly writers: IdentityMap<Writer>
}

export interface FolderOptions {
  readonly identifiedBy: 'fingerprint' | 'id'
  readonly longs: Longs
}

/** Families by event type. Throws `MillraceError('pipeline_invalid')` with every problem of the folder. */
export async function readSchemaFolder(folder: string, options: FolderOptions): Promise<Map<string, SchemaFamily>> {
  const problems = new Problems()
  const files = await readSchemas(folder, problems)
  const types = buildTypes(files, options.longs, problems)
  const families = new Map<string, SchemaFamily>()
  const writers = new Map<string, { readonly writer: Writer; readonly family: SchemaFamily }>()
  /** The first file with each fingerprint of an event type. */
  const fingerprinted = new Map<string, string>()

  // "order.avsc" sorts after "order@1.avsc" or before it, so readers come in a pass of their own.
  for (const [file, reader] of types) {
    if (file.includes('@')) continue
    families.set(eventTypeOf(file), { current: { reader, resolver: undefined }, writers: new IdentityMap() })
  }
  for (const [file, type] of types) {
    const family = families.get(eventTypeOf(file))
    if (family === undefined) {
      // A reader that is there but broken has been reported already.
      const readerFile = `${eventTypeOf(file)}.avsc`
      if (!files.has(readerFile)) problems.add(file, `has no reader schema beside it, ${readerFile}`)
      continue
    }
    const writer = resolve(family.current, type, file, problems)
    if (writer === undefined) continue
    writers.set(file, { writer, family })
    if (options.identifiedBy === 'fingerprint') {
      const print = fingerprint(files.get(file)!)
      const familyPrint = `${eventTypeOf(file)} ${print}`
      const other = fingerprinted.get(familyPrint) ?? file
      fingerprinted.set(familyPrint, other)
      // Fingerprints leave logical types out: nothing in a record would say whether its times are milliseconds.
      if (decodedForm(types.get(other)!) !== decodedForm(type)) {
        problems.add(file, `has the fingerprint of ${other} but other logical types, so one of them must go`)
      }
      family.writers.set(fingerprintIdentity(print), writer)
    }
  }
  if (options.identifiedBy === 'id') {
    for (const [identity, file] of await readIds(folder, problems)) {
      const known = writers.get(file)
      if (known !== undefined) known.family.writers.set(identity, known.writer)
      else if (!files.has(file)) problems.add('ids.json', 'names a schema that is not there', file)
    }
  }
  if (!problems.isEmpty) {
    throw new MillraceError('pipeline_invalid', `the schemas in ${folder} have problems`, { lines: problems.list })
  }
  return families
}

function eventTypeOf(file: string): string {
  return file.slice(0, -'.avsc'.length).split('@', 1)[0]!
}

async function readSchemas(folder: string, problems: Problems): Promise<Map<string, Schema>> {
  const schemas = new Map<string, Schema>()
  let names: string[] = []
  try {
    names = (await readdir(folder)).filter(name => name.endsWith('.avsc')).sort()
    if (names.length === 0) problems.add('schemas', 'must be a folder with .avsc files', folder)
  } catch (cause) {
    problems.add('schemas', `cannot be read (${messageOf(cause)})`)
  }
  for (const name of names) {
    try {
      schemas.set(name, JSON.parse(await readFile(path.join(folder, name), 'utf8')) as Schema)
    } catch (cause) {
      problems.add(name, `is not JSON (${messageOf(cause)})`)
    }
  }
  return schemas
}

function buildTypes(files: ReadonlyMap<string, Schema>, longs: Longs, problems: Problems): Map<string, Type> {
  const types = new Map<string, Type>()
  for (const [file, schema] of files) {
    try {
      types.set(file, buildType(schema, longs))
    } catch (cause) {
      problems.add(file, `cannot be used: ${messageOf(cause)}`)
    }
  }
  return types
}

function resolve(current: Writer, type: Type, file: string, problems: Problems): Writer | undefined {
  if (type === current.reader) return current
  try {
    // The specification compares record names without their namespaces.
    const resolver = current.reader.createResolver(type, { ignoreNamespaces: true })
    return { reader: current.reader, resolver }
  } catch (cause) {
    problems.add(file, `cannot be read as ${eventTypeOf(file)}.avsc: ${messageOf(cause)}`)
    return undefined
  }
}

async function readIds(folder: string, problems: Problems): Promise<[Buffer, string][]> {
  let entries: [string, unknown][]
  try {
    entries = Object.entries(JSON.parse(await readFile(path.join(folder, 'ids.json'), 'utf8')) as object)
  } catch (cause) {
    problems.add('ids.json', `cannot be read (${messageOf(cause)})`)
    return []
  }
  return entries.flatMap(([id, file]): [Buffer, string][] => {
    const identity = confluentIdentity(id)
    if (identity === undefined) problems.add('ids.json', 'has a name that is neither an id nor a guid', id)
    if (typeof file !== 'string') problems.add('ids.json', `must name a file for ${id}`, file)
    return identity === undefined || typeof file !== 'string' ? [] : [[identity, file]]
  })
}
