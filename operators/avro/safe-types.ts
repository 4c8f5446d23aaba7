/**
 * Arrays, maps and ints that hold against hostile bytes.
 *
 * The library's own readers trust block headers. Five bytes that announce four billion entries keep them reading past the
 * end for seconds, a negative block size sends `_skip` backwards for ever, and an int of 40 bits is passed on. These three
 * override `_read` and `_skip`, which resolvers borrow from the reader's type, so resolved schemas are covered too.
 */
import avro, { type Schema, type Type } from 'avsc'

/** The part of the library's cursor that is used here; it is missing from the published types. */
interface Tap {
  readonly buf: Buffer
  pos: number
  readLong(): number
  skipLong(): void
  readString(): string
  skipString(): void
}

interface Readable {
  _read(tap: Tap): unknown
  _skip(tap: Tap): void
}

/** A block announces more entries than bytes are left. */
export class TruncatedBlock extends Error {}

/** Number of entries of the next block, 0 at the end. Each entry takes a byte at least, or the schema was refused. */
function readCount(tap: Tap): number {
  let count = tap.readLong()
  if (count < 0) {
    count = -count
    tap.skipLong()
  }
  if (count > tap.buf.length - tap.pos) throw new TruncatedBlock('a block has more entries than bytes are left')
  return count
}

/** Number of entries to skip one by one, 0 at the end; blocks that say their size in bytes are jumped over. */
function skipBlocks(tap: Tap): number {
  for (;;) {
    const count = tap.readLong()
    if (count >= 0) {
      if (count > tap.buf.length - tap.pos) throw new TruncatedBlock('a block has more entries than bytes are left')
      return count
    }
    const size = tap.readLong()
    if (size < 0) throw new Error('a block has a negative size')
    // Past the end, if the size says so: there the library reads zeros, which end the array, and notices at last.
    tap.pos += size
  }
}

class SafeArray extends avro.types.ArrayType {
  _read(tap: Tap): unknown[] {
    const items: Readable = this.itemsType as Type & Readable
    const values: unknown[] = []
    for (let count = readCount(tap); count > 0; count = readCount(tap)) {
      while (count-- > 0) values.push(items._read(tap))
    }
    return values
  }

  _skip(tap: Tap): void {
    const items: Readable = this.itemsType as Type & Readable
    for (let count = skipBlocks(tap); count > 0; count = skipBlocks(tap)) {
      while (count-- > 0) items._skip(tap)
    }
  }
}

class SafeMap extends avro.types.MapType {
  _read(tap: Tap): Record<string, unknown> {
    const values: Readable = this.valuesType as Type & Readable
    const map: Record<string, unknown> = {}
    for (let count = readCount(tap); count > 0; count = readCount(tap)) {
      while (count-- > 0) {
        const key = tap.readString()
        const value = values._read(tap)
        // Assigned, this key would replace the map's prototype.
        if (key !== '__proto__') map[key] = value
      }
    }
    return map
  }

  _skip(tap: Tap): void {
    const values: Readable = this.valuesType as Type & Readable
    for (let count = skipBlocks(tap); count > 0; count = skipBlocks(tap)) {
      while (count-- > 0) {
        tap.skipString()
        values._skip(tap)
      }
    }
  }
}

class SafeInt extends avro.types.IntType {
  _read(tap: Tap): number {
    const value = tap.readLong()
    if (value !== (value | 0)) throw new Error('an int has more than 32 bits')
    return value
  }
}

/**
 * The library reads a long by arithmetic on its zigzag form, which takes one bit more than the value: from 2^52 on that bit, the
 * sign, is rounded away, and what comes out passes for exact.
 */
export function requireExactLong(value: number): number {
  if (!(Math.abs(value) < 2 ** 52)) throw new Error('potential precision loss')
  return value
}

class SafeLong extends avro.types.LongType {
  _read(tap: Tap): number {
    const start = tap.pos
    const value = tap.readLong()
    return Math.abs(value) < 2 ** 52 ? value : readLargeLong(tap.buf, start)
  }
}

/** The lowest bit of the first byte is the sign; the rest is the magnitude, seven bits a byte, and exact below 2^53. */
function readLargeLong(bytes: Uint8Array, start: number): number {
  let magnitude = (bytes[start]! & 0x7f) >> 1
  let weight = 64
  for (let at = start; bytes[at]! & 0x80; weight *= 128) magnitude += (bytes[++at]! & 0x7f) * weight
  const value = bytes[start]! & 1 ? -magnitude - 1 : magnitude
  if (!Number.isSafeInteger(value)) throw new Error('potential precision loss')
  return value
}

const safeInt = new SafeInt()
const safeLong = new SafeLong()

/** A safe type for an array, map, int or long; `undefined` for other schemas, which the library reads well. */
export function safeType(typeName: unknown, schema: Schema, options: object): Type | undefined {
  switch (typeName) {
    case 'array':
      return new SafeArray(schema, options)
    case 'map':
      return new SafeMap(schema, options)
    case 'int':
      return safeInt
    case 'long':
      return safeLong
    default:
      return undefined
  }
}
