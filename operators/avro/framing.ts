/**
 * What stands before a record: which schema wrote it. One framing per stage, configured and never guessed: a payload of
 * another framing would often pass for this one.
 */
import { uuidText } from './logical-types.js'

export interface Framing {
  /** For error texts. */
  readonly expects: string
  /** Where the writer's identity begins; it ends with the header. */
  readonly identityAt: number
  /** Length of the header, or -1 when the payload does not begin with one. The payload may be shorter than its header. */
  headerBytes(payload: Buffer): number
  /** The identity as people write it, for error texts. */
  show(identity: Buffer): string
}

/** Avro specification, "Single-object encoding": marker c3 01, CRC-64-AVRO fingerprint in little-endian, record. */
export const singleObject: Framing = {
  expects: 'the marker c3 01 of single-object encoding',
  identityAt: 2,
  headerBytes: payload => (payload[0] === 0xc3 && payload[1] === 0x01 ? 10 : -1),
  show: identity => `fingerprint ${identity.readBigUInt64LE().toString(16).padStart(16, '0')}`,
}

/** Confluent wire format: magic 0 and a schema id of 4 bytes in big-endian, or magic 1 and a schema guid of 16 bytes. */
export const confluent: Framing = {
  expects: 'the magic byte 0 or 1 of Confluent framing',
  identityAt: 1,
  headerBytes: payload => (payload[0] === 0 ? 5 : payload[0] === 1 ? 17 : -1),
  show: identity => (identity.length === 4 ? `id ${identity.readUInt32BE()}` : `guid ${uuidText(identity)}`),
}

/** Identity of a single-object writer. */
export function fingerprintIdentity(fingerprint: bigint): Buffer {
  const identity = Buffer.alloc(8)
  identity.writeBigUInt64LE(fingerprint)
  return identity
}

/** Identity of a Confluent writer from `"17"` or a guid; `undefined` when the text is neither. */
export function confluentIdentity(text: string): Buffer | undefined {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return Buffer.from(text.replaceAll('-', ''), 'hex')
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xffffffff) return undefined
  const identity = Buffer.alloc(4)
  identity.writeUInt32BE(Number(text))
  return identity
}

/** Looks things up by an identity in the middle of a payload, without a copy of it: this runs for every event. */
export class IdentityMap<Value> {
  readonly #byStart = new Map<number, { readonly identity: Buffer; readonly value: Value }[]>()

  set(identity: Buffer, value: Value): void {
    const start = identity.readInt32LE()
    const entries = this.#byStart.get(start) ?? []
    this.#byStart.set(start, [...entries.filter(entry => !entry.identity.equals(identity)), { identity, value }])
  }

  /** What was set for exactly the bytes from `from` up to `to`; both lie within the payload, at least 4 apart. */
  get(payload: Buffer, from: number, to: number): Value | undefined {
    for (const entry of this.#byStart.get(payload.readInt32LE(from)) ?? []) {
      if (isAt(entry.identity, payload, from, to)) return entry.value
    }
    return undefined
  }
}

function isAt(identity: Buffer, payload: Buffer, from: number, to: number): boolean {
  if (identity.length !== to - from) return false
  for (let index = 4; index < identity.length; index++) {
    if (identity[index] !== payload[from + index]) return false
  }
  return true
}
