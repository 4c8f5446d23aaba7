/**
 * What may be kept in a profile: plain data. A value goes in through `stored`, so that the state in memory equals the state
 * that comes back from its bytes; otherwise results would depend on where a batch ended.
 */

/** One value that can be counted, compared and hashed. */
export type Scalar = string | number | boolean

/** Anything JSON can say; fields that are `undefined` are left out. */
export type Plain = null | undefined | Scalar | readonly Plain[] | { readonly [name: string]: Plain }

const maxDepth = 64

/** As many as msgpackr packs. */
const maxFields = 65_535

const surrogate = /[\ud800-\udfff]/

/**
 * The copy that is kept. Text and the names of fields become well-formed Unicode, -0 becomes 0, class instances become plain
 * objects, a field named `__proto__` is left out, an invalid date becomes null as in JSON. Dates and bytes stay what they are,
 * because a whole event may be kept and decoders make them. Throws a `TypeError` on functions, symbols, bigints, maps, sets,
 * objects of more than 65,535 fields, and what is nested deeper than 64 levels.
 */
export function stored(value: unknown, depth = 0): unknown {
  // A decoder takes any depth; packing does not, and would fail long after the event that is at fault.
  if (depth > maxDepth) throw new TypeError(`cannot be kept in a profile: more than ${maxDepth} levels deep`)
  switch (typeof value) {
    case 'string':
      return storedText(value)
    case 'number':
      return value + 0
    case 'boolean':
    case 'undefined':
      return value
    case 'object':
      return value === null ? null : storedObject(value, depth + 1)
    default:
      throw new TypeError(`cannot be kept in a profile: a ${typeof value}`)
  }
}

/** Well-formed; longer than 64 bytes, also without byte order marks in front. */
function storedText(text: string): string {
  // Without its native addon msgpackr reads text of more than 64 bytes with a `TextDecoder`, which swallows one.
  const bare = text.charCodeAt(0) === 0xfeff && Buffer.byteLength(text) > 64 ? text.replace(/^\ufeff+/, '') : text
  return surrogate.test(bare) ? Buffer.from(bare).toString() : bare
}

function storedObject(value: object, depth: number): unknown {
  if (Array.isArray(value)) return value.map(entry => stored(entry, depth) ?? null)
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : new Date(value)
  if (value instanceof Map || value instanceof Set) throw new TypeError('cannot be kept in a profile: a map or a set')
  const names = Object.keys(value)
  // Packing would throw after the fold, when there is no event left to reject.
  if (names.length > maxFields) throw new TypeError(`cannot be kept in a profile: more than ${maxFields} fields`)
  const copy: Record<string, unknown> = {}
  for (const name of names) {
    const field = stored((value as Record<string, unknown>)[name], depth)
    const storedName = storedText(name)
    // Assigning to `__proto__` would change what the copy is.
    if (field !== undefined && storedName !== '__proto__') copy[storedName] = field
  }
  return copy
}

/** At least as many bytes as the stored form of the value takes. */
export function sizeBound(value: unknown): number {
  // A UTF-16 unit takes at most three bytes of UTF-8; every MessagePack header at most five.
  if (typeof value === 'string') return 5 + 3 * value.length
  if (typeof value !== 'object' || value === null) return 9
  if (value instanceof Uint8Array) return 5 + value.length
  if (value instanceof Date) return 15
  let size = 5
  if (Array.isArray(value)) {
    for (const entry of value) size += sizeBound(entry)
    return size
  }
  for (const name of Object.keys(value)) {
    size += 5 + 3 * name.length + sizeBound((value as Record<string, unknown>)[name])
  }
  return size
}

/** Total order over kept values, the same in every process; 0 only for equal ones. */
export function compareValues(left: unknown, right: unknown): number {
  if (left === right) return 0
  if (typeof left !== typeof right) return typeof left < typeof right ? -1 : 1
  if (typeof left === 'object') return compareScalars(canonicalText(left), canonicalText(right))
  return compareScalars(left as Scalar, right as Scalar)
}

/** Within one type by `<`, else by the name of the type. */
export function compareScalars(left: Scalar, right: Scalar): number {
  if (typeof left !== typeof right) return typeof left < typeof right ? -1 : 1
  return left < right ? -1 : left > right ? 1 : 0
}

function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_name, field: unknown) => {
    if (typeof field !== 'object' || field === null || Array.isArray(field)) return field
    return Object.fromEntries(Object.entries(field).sort(([a], [b]) => compareScalars(a, b)))
  })
}

/** Throws unless JSON can say the value; members that are `undefined` are left out. `place` opens the sentence. */
export function requireJson(value: unknown, place: string): void {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number' && Number.isFinite(value)) return
  if (Array.isArray(value)) {
    for (const entry of value) requireJson(entry, place)
    return
  }
  if (typeof value === 'object' && isPlainObject(value)) {
    for (const name of Object.keys(value)) requireJson((value as Record<string, unknown>)[name], place)
    return
  }
  throw new TypeError(`${place} must be plain JSON data, got ${kindOf(value)}`)
}

function isPlainObject(value: object): boolean {
  if (ArrayBuffer.isView(value) || value instanceof Date || value instanceof Map || value instanceof Set) return false
  // Records of decoders have classes. What has a class and no members keeps what it is elsewhere, as a promise does.
  const parent: unknown = Object.getPrototypeOf(value)
  return parent === Object.prototype || parent === null || Object.keys(value).length > 0
}

/** For error texts: says what something is, never what it holds, because that may be personal. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value === 'string') return 'text'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object')
    return value.constructor?.name === 'Object' ? 'an object' : `a ${value.constructor?.name}`
  return `a ${typeof value}`
}
