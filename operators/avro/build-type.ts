/** From a schema's JSON to a type that is safe to decode with. */
import avro, { type Schema, type Type } from 'avsc'
import { isLogical, logicalTypes } from './logical-types.js'
import { safeType } from './safe-types.js'
import { unsafeReason } from './unsafe.js'

/** What a long becomes: a number (beyond 2^53 it is refused), decimal text, or a BigInt. */
export type Longs = 'number' | 'text' | 'bigint'

/**
 * Builds the type of a record. Throws an `Error` that says why when the schema is not valid Avro, not a record, or not safe
 * to decode (see `unsafeReason`). Values hold plain data only: objects, arrays, numbers, text, booleans, null and Buffers.
 */
export function buildType(schema: Schema, longs: Longs = 'number'): Type {
  const long = longs === 'number' ? undefined : longType(longs)
  const type = avro.Type.forSchema(schema, {
    noAnonymousTypes: true,
    omitRecordMethods: true,
    logicalTypes,
    typeHook: (given, options) => {
      const typeName: unknown = typeof given === 'object' && 'type' in given ? given.type : given
      // A logical type on these wraps its base type itself.
      if ((typeName === 'int' || typeName === 'long') && isLogical(given)) return undefined
      return typeName === 'long' && long !== undefined ? long : safeType(typeName, given, options)
    },
  })
  if (!(type instanceof avro.types.RecordType)) throw new Error('is not a record')
  const reason = unsafeReason(type)
  if (reason !== undefined) throw new Error(reason)
  return type
}

/** What decides which values come out of a record's bytes: the canonical form, and the logical types that it leaves out. */
export function decodedForm(type: Type): string {
  const unused = ['doc', 'aliases', 'default', 'order']
  return JSON.stringify(type.schema({ exportAttrs: true }), (name, value: unknown) =>
    unused.includes(name) ? undefined : value,
  )
}

/** Longs of 64 exact bits. The library hands over 8 bytes, little-endian. */
function longType(longs: 'text' | 'bigint'): Type {
  const isText = longs === 'text'
  const toBigInt = (value: unknown): bigint => BigInt(value as bigint | string | number)
  const fromBigInt = (value: bigint): bigint | string => (isText ? String(value) : value)
  return avro.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => fromBigInt(bytes.readBigInt64LE()),
    toBuffer: (value: unknown) => {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64LE(toBigInt(value))
      return bytes
    },
    fromJSON: (value: unknown) => fromBigInt(toBigInt(value)),
    toJSON: (value: unknown) => String(value),
    isValid: (value: unknown) => typeof value === (isText ? 'string' : 'bigint'),
    compare: (left: unknown, right: unknown) => Math.sign(Number(toBigInt(left) - toBigInt(right))),
  })
}
