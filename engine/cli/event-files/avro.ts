/** An Avro object container file. Its records are published in single-object encoding of the file's schema, or as JSON. */
import type { Readable } from 'node:stream'
import avro, { type Schema, type Type } from 'avsc'
import type { FileEntry } from './event-file.js'

/** CRC-64-AVRO of a schema's canonical form, unsigned. */
export type Fingerprint = (schema: Schema) => bigint

interface AvroOptions {
  readonly as: 'json' | 'avro'
  readonly fingerprint: Fingerprint
  /** The last bytes of the file. */
  readonly tail: Buffer
}

/** Throws when the file is not a whole Avro file, or compressed with anything but deflate. */
export async function* readAvro(source: Readable, { as, fingerprint, tail }: AvroOptions): AsyncGenerator<FileEntry> {
  const decoder = new avro.streams.BlockDecoder()
  let isWhole = false
  let encode: (value: unknown) => Uint8Array = encodeJson
  decoder.once('metadata', (type: Type, _codec: string, header: { readonly sync: Buffer }) => {
    // Every block ends with the file's sync marker; the decoder does not notice a last block that is cut off.
    isWhole = tail.equals(header.sync)
    if (as === 'avro') encode = singleObject(type, fingerprint)
  })
  source.once('error', error => decoder.destroy(error))
  let line = 0
  try {
    for await (const value of source.pipe(decoder) as AsyncIterable<unknown>) {
      if (!isWhole) break
      yield { line: ++line, value, payload: encode(value) }
    }
  } finally {
    source.destroy()
  }
  if (!isWhole) throw new Error('is not an Avro file, or is cut off')
}

/** Avro specification, "Single-object encoding": marker c3 01, fingerprint in little-endian, record. */
function singleObject(type: Type, fingerprint: Fingerprint): (value: unknown) => Uint8Array {
  const header = Buffer.from([0xc3, 0x01, 0, 0, 0, 0, 0, 0, 0, 0])
  header.writeBigUInt64LE(fingerprint(type.schema()), 2)
  return value => Buffer.concat([header, type.toBuffer(value)])
}

/** Bytes as base64: JSON has no bytes, and Avro's own JSON form is read by nothing but Avro. */
function encodeJson(value: unknown): Uint8Array {
  // A buffer has turned itself into an object of numbers before the replacer is given it; what it was is still in its place.
  const text = JSON.stringify(value, function (this: Record<string, unknown>, name, shown: unknown) {
    const field = this[name]
    return Buffer.isBuffer(field) ? field.toString('base64') : shown
  })
  return Buffer.from(text)
}
