/** Avro single-object encoding for the generator and the oracle, written apart from the engine's so that one checks the other. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import avro from 'avsc'

export interface ShopSchema {
  readonly type: avro.Type
  /** What stands before a record: the marker C3 01 and the schema's CRC-64-AVRO, little-endian. */
  readonly header: Buffer
}

/** Bytes before the record. */
export const headerBytes = 10

/** Schemas by event type, from `<type>.avsc` files. */
export async function readSchemas(folder: string): Promise<Map<string, ShopSchema>> {
  const schemas = new Map<string, ShopSchema>()
  for (const file of await readdir(folder)) {
    if (!file.endsWith('.avsc')) continue
    const type = avro.Type.forSchema(JSON.parse(await readFile(join(folder, file), 'utf8')) as avro.Schema)
    // Without attributes, avsc writes the canonical form that fingerprints are made of.
    schemas.set(file.slice(0, -'.avsc'.length), { type, header: headerOf(JSON.stringify(type.schema())) })
  }
  return schemas
}

/** Header and record. */
export function encode({ type, header }: ShopSchema, value: unknown): Buffer {
  return Buffer.concat([header, type.toBuffer(value)])
}

function headerOf(canonicalForm: string): Buffer {
  const header = Buffer.alloc(headerBytes)
  header.writeUInt16BE(0xc301)
  header.writeBigUInt64LE(crc64Avro(Buffer.from(canonicalForm)), 2)
  return header
}

/** The Rabin fingerprint of the Avro specification ("Schema Fingerprints"), bit by bit. */
export function crc64Avro(bytes: Uint8Array): bigint {
  const empty = 0xc15d213aa4d7a795n
  let fingerprint = empty
  for (const byte of bytes) {
    fingerprint ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) fingerprint = (fingerprint >> 1n) ^ (fingerprint & 1n ? empty : 0n)
  }
  return fingerprint
}
