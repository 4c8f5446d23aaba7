/**
 * Schemas that a few bytes can turn into a lot of work. They are refused at the start, because a decoder cannot tell a
 * hostile payload of theirs from an honest one.
 */
import avro, { type Type } from 'avsc'

/**
 * Why a schema must not be decoded, or `undefined` when it may:
 * - an array whose items can take no bytes at all: its count alone decides how long reading takes. A map's entries always
 *   take a byte, the length of the key.
 * - a record that contains itself other than through a union, an array or a map: reading it never ends.
 * - a field called `__proto__`, which would become the record's prototype.
 */
export function unsafeReason(type: Type): string | undefined {
  const visited = new Set<Type>()

  const visit = (current: Type): string | undefined => {
    if (visited.has(current)) return undefined
    visited.add(current)
    if (current instanceof avro.types.RecordType) {
      if (fewestBytes(current) === Infinity) return `record ${current.name} contains itself without end`
      if (current.fields.some(field => field.name === '__proto__'))
        return `record ${current.name} has a field "__proto__"`
    }
    if (current instanceof avro.types.ArrayType && fewestBytes(current.itemsType) === 0) {
      return 'has an array whose items can take no bytes, so that a few bytes could announce billions of them'
    }
    for (const inner of innerTypes(current)) {
      const reason = visit(inner)
      if (reason !== undefined) return reason
    }
    return undefined
  }

  return visit(type)
}

/** Fewest bytes that a value of this type can take; `Infinity` when a value would have no end. */
function fewestBytes(type: Type, outer: readonly Type[] = []): number {
  if (type instanceof avro.types.LogicalType) return fewestBytes(type.underlyingType, outer)
  if (type instanceof avro.types.NullType) return 0
  if (type instanceof avro.types.FixedType) return type.size
  if (type instanceof avro.types.FloatType) return 4
  if (type instanceof avro.types.DoubleType) return 8
  if (type instanceof avro.types.RecordType) {
    if (outer.includes(type)) return Infinity
    return type.fields.reduce((sum, field) => sum + fewestBytes(field.type, [...outer, type]), 0)
  }
  // Everything else starts with a number: a value, a length, a count or a branch.
  return 1
}

function innerTypes(type: Type): readonly Type[] {
  if (type instanceof avro.types.LogicalType) return [type.underlyingType]
  if (type instanceof avro.types.RecordType) return type.fields.map(field => field.type)
  if (type instanceof avro.types.ArrayType) return [type.itemsType]
  if (type instanceof avro.types.MapType) return [type.valuesType as Type]
  if (type instanceof avro.types.UnwrappedUnionType || type instanceof avro.types.WrappedUnionType) return type.types
  return []
}
