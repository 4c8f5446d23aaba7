/**
 * CRC-64-AVRO, the fingerprint that single-object encoding puts before each record. Avro specification, "Schema
 * Fingerprints". Computed once per schema, so it is written for reading.
 */
import avro, { type Schema } from 'avsc'

/** Fingerprint of no bytes at all, and the polynomial at the same time. */
const empty = 0xc15d213aa4d7a795n

const table = Array.from({ length: 256 }, (_, index) => {
  let entry = BigInt(index)
  for (let bit = 0; bit < 8; bit++) entry = (entry >> 1n) ^ (entry & 1n ? empty : 0n)
  return entry
})

/** The parsing canonical form: what decides how bytes are read, without documents, defaults and aliases. */
export function canonicalForm(schema: Schema): string {
  return JSON.stringify(avro.Type.forSchema(schema).schema())
}

/** Unsigned 64-bit fingerprint of a schema's canonical form. */
export function fingerprint(schema: Schema): bigint {
  let value = empty
  for (const byte of Buffer.from(canonicalForm(schema))) {
    value = (value >> 8n) ^ table[Number((value ^ BigInt(byte)) & 0xffn)]!
  }
  return value
}
