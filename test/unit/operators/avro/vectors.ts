/** Reads the foreign Avro data of `test/vectors/avro`, with code of its own. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { inflateRawSync } from 'node:zlib'
import type { Schema } from 'avsc'
import { buildType } from '../../../../operators/avro/build-type.js'

/** Text or bytes of a file beside the vectors' README. */
export function vector(name: string): Buffer {
  return readFileSync(path.resolve('test/vectors/avro', name))
}

export function vectorJson<Content>(name: string): Content {
  return JSON.parse(vector(name).toString('utf8')) as Content
}

export interface FingerprintCase {
  readonly schema: Schema
  readonly canonical: string
  /** Absent where the specification gives none. */
  readonly fingerprint: bigint | undefined
}

/** The cases of `schema-tests.txt`, which has here-documents for inputs of several lines. */
export function fingerprintCases(): FingerprintCase[] {
  const lines = vector('schema-tests.txt').toString('utf8').split('\n')
  const cases: FingerprintCase[] = []
  for (let at = 0; at < lines.length; at++) {
    const input = /^<<INPUT(.*)$/.exec(lines[at]!)
    if (input === null) continue
    let json = input[1]!.trim()
    if (json === '') while (lines[++at] !== 'INPUT') json += lines[at]
    const canonical = lines[++at]!.replace('<<canonical ', '')
    const fingerprint = /^<<fingerprint (.*)$/.exec(lines[at + 1]!)?.[1]
    cases.push({
      schema: JSON.parse(json) as Schema,
      canonical,
      fingerprint: fingerprint === undefined ? undefined : BigInt.asUintN(64, BigInt(fingerprint)),
    })
  }
  return cases
}

/** Schema and record bytes of a container file. Avro specification, "Object Container Files". */
export function readContainer(file: string): { schema: Schema; records: Buffer[] } {
  const bytes = vector(file)
  let at = 4
  const long = (): number => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number((value >> 1n) ^ -(value & 1n))
    }
  }
  const take = (length: number): Buffer => bytes.subarray(at, (at += length))

  const meta = new Map<string, Buffer>()
  for (let count = long(); count !== 0; count = long()) {
    if (count < 0) long()
    for (let entry = Math.abs(count); entry > 0; entry--) meta.set(take(long()).toString(), take(long()))
  }
  const sync = take(16)
  const schema = JSON.parse(meta.get('avro.schema')!.toString()) as Schema
  const isDeflated = meta.get('avro.codec')?.toString() === 'deflate'
  // Where a record ends only its type knows; text longs hold every value that a file may have.
  const type = buildType(schema, 'text')
  const records: Buffer[] = []
  while (at < bytes.length) {
    const count = long()
    const stored = take(long())
    const block = isDeflated ? inflateRawSync(stored) : stored
    let from = 0
    for (let record = 0; record < count; record++) {
      const { offset } = type.decode(block, from)
      records.push(block.subarray(from, offset))
      from = offset
    }
    if (from !== block.length || !take(16).equals(sync)) throw new Error(`${file} was not read to the end of a block`)
  }
  return { schema, records }
}
