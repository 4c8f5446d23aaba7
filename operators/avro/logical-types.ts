/**
 * Logical types as plain values: times become epoch milliseconds, decimals exact text, binary uuids their usual text. A
 * logical type that this file does not know, or that sits on the wrong base type, is read as its base type, as the
 * specification asks.
 */
import avro, { type Schema, type Type, type types } from 'avsc'
import { requireExactLong } from './safe-types.js'

/** What the schema's JSON says beyond the base type. */
interface LogicalSchema {
  readonly type: unknown
  readonly logicalType?: unknown
  readonly precision?: number
  readonly scale?: number
  readonly size?: number
}

/** Base types that a logical type may sit on. */
const bases: Readonly<Record<string, readonly string[]>> = {
  'timestamp-millis': ['long'],
  'timestamp-micros': ['long'],
  'local-timestamp-millis': ['long'],
  'local-timestamp-micros': ['long'],
  date: ['int'],
  decimal: ['bytes', 'fixed'],
  uuid: ['fixed'],
}

/** True when the schema is one of the logical types of this file on a base type that fits. */
export function isLogical(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  const { type, logicalType } = schema as LogicalSchema
  return typeof logicalType === 'string' && bases[logicalType]?.includes(String(type)) === true
}

/** Throwing makes the library fall back to the base type. */
function verifyBase(schema: unknown): LogicalSchema {
  if (!isLogical(schema)) throw new Error('logical type on the wrong base type')
  return schema as LogicalSchema
}

/** A time that is stored as a count of `unitMs` and read as epoch milliseconds; microseconds keep their fraction. */
function timeType(unitMs: number) {
  return class TimeType extends avro.types.LogicalType {
    constructor(schema: Schema, options?: object) {
      super(schema, options)
      verifyBase(schema)
    }

    protected override _fromValue(count: number): number {
      requireExactLong(count)
      // Multiplying by 0.001 would round where dividing does not.
      return unitMs < 1 ? count / (1 / unitMs) : count * unitMs
    }

    protected override _toValue(ms: number): number {
      return Math.round(ms / unitMs)
    }

    protected override _resolve(writer: Type): ((value: number) => number) | undefined {
      if (writer instanceof avro.types.LogicalType) {
        // Whatever its unit, a time has already become milliseconds.
        return /timestamp|date/.test(writer.typeName) ? ms => ms : undefined
      }
      return ['int', 'long'].includes(writer.typeName) ? count => this._fromValue(count) : undefined
    }
  }
}

/** A number of exactly `scale` decimals, read as text such as `-12.30`: a double would round money. */
class DecimalType extends avro.types.LogicalType {
  readonly #precision: number
  readonly #scale: number
  readonly #size: number | undefined

  constructor(schema: Schema, options?: object) {
    super(schema, options)
    const { precision = 0, scale = 0, size } = verifyBase(schema)
    if (!Number.isInteger(precision) || precision < 1) throw new Error('precision must be a whole number from 1')
    if (!Number.isInteger(scale) || scale < 0 || scale > precision) throw new Error('scale must be from 0 to precision')
    this.#precision = precision
    this.#scale = scale
    this.#size = size
  }

  protected override _fromValue(unscaled: Buffer | undefined): string {
    // Past the end of a truncated payload the library hands out nothing, and notices at the end.
    if (unscaled === undefined || unscaled.length === 0) return decimalText(0n, this.#scale)
    // A byte holds more than two digits. The bound matters: converting a megabyte would take seconds.
    if (this.#size === undefined && unscaled.length > this.#precision)
      throw new Error('a decimal exceeds its precision')
    const value = BigInt.asIntN(unscaled.length * 8, BigInt(`0x${unscaled.toString('hex')}`))
    return decimalText(value, this.#scale)
  }

  protected override _toValue(text: string): Buffer {
    const [whole = '0', decimals = ''] = text.split('.')
    const value = BigInt(whole + decimals.padEnd(this.#scale, '0'))
    let bytes = this.#size ?? 1
    while (BigInt.asIntN(bytes * 8, value) !== value) bytes++
    const hex = BigInt.asUintN(bytes * 8, value).toString(16)
    return Buffer.from(hex.padStart(bytes * 2, '0'), 'hex')
  }

  protected override _export(schema: Schema): void {
    Object.assign(schema, { precision: this.#precision, scale: this.#scale })
  }

  protected override _resolve(writer: Type): ((value: never) => string) | undefined {
    if (writer instanceof DecimalType) return writer.#scale === this.#scale ? text => text : undefined
    return writer.typeName === this.underlyingType.typeName ? value => this._fromValue(value) : undefined
  }
}

function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : ''
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const point = digits.length - scale
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

/** A uuid in 16 bytes, read as its text; one in a string is text already. */
class UuidType extends avro.types.LogicalType {
  constructor(schema: Schema, options?: object) {
    super(schema, options)
    if (verifyBase(schema).size !== 16) throw new Error('a uuid has 16 bytes')
  }

  protected override _fromValue(bytes: Buffer | undefined): string {
    return bytes === undefined ? '' : uuidText(bytes)
  }

  protected override _toValue(text: string): Buffer {
    return Buffer.from(text.replaceAll('-', ''), 'hex')
  }

  protected override _resolve(writer: Type): ((value: never) => string) | undefined {
    if (writer instanceof UuidType) return text => text
    return writer.typeName === 'fixed' ? bytes => this._fromValue(bytes) : undefined
  }
}

/** 16 bytes as `89791762-2336-4186-9674-299b90a802e2`. */
export function uuidText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** For the library's `logicalTypes` option. */
export const logicalTypes: Readonly<Record<string, new (schema: Schema, options?: object) => types.LogicalType>> = {
  'timestamp-millis': timeType(1),
  'timestamp-micros': timeType(0.001),
  'local-timestamp-millis': timeType(1),
  'local-timestamp-micros': timeType(0.001),
  date: timeType(86_400_000),
  decimal: DecimalType,
  uuid: UuidType,
}
