/** Avro data that others wrote; where it comes from is in test/vectors/avro/README.md. */
import type { Schema } from 'avsc'
import t from 'tap'
import { buildType } from '../../../../operators/avro/build-type.js'
import { canonicalForm, fingerprint } from '../../../../operators/avro/fingerprint.js'
import { fingerprintIdentity } from '../../../../operators/avro/framing.js'
import { decodeAvro } from '../../../../operators/index.js'
import { context, eventOf, jsonFiles, plain, received, setupIn, start } from '../stage.js'
import { fingerprintCases, readContainer, vectorJson } from './vectors.js'

/** Two schemas of the file are not valid and are refused here: a union of nothing, and a boolean whose default is text. */
const refused = [/^\[\]$/, /"name":"f1","type":"boolean"\},\{"name":"f2"/]

t.test('canonical forms and fingerprints are those of the specification', t => {
  const cases = fingerprintCases()
  t.equal(cases.length, 34, 'every case of the file was read')
  for (const { schema, canonical, fingerprint: expected } of cases) {
    if (refused.some(pattern => pattern.test(canonical))) {
      t.throws(() => canonicalForm(schema), /empty union|incompatible field default/)
      continue
    }
    t.equal(canonicalForm(schema), canonical, canonical)
    if (expected !== undefined) t.equal(fingerprint(schema), expected, `fingerprint of ${canonical}`)
  }
  t.end()
})

function framed(schema: Schema, record: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0xc3, 0x01]), fingerprintIdentity(fingerprint(schema)), record])
}

/** A path in each file that makes a key. */
const containers = {
  'weather.avro': 'station',
  'weather-sorted.avro': 'station',
  'weather-legacy-generated.avro': 'station',
  'a_triple_pair.avro': 'left.subject',
  'm.avro': 'description',
  'recursive.avro': 'value',
  'test-null-B.avro': 'longField',
}

for (const [file, key] of Object.entries(containers)) {
  t.test(`${file} is read as another implementation reads it, raw and in single-object encoding`, async t => {
    const { schema, records } = readContainer(file)
    const expected = vectorJson<Record<string, unknown[]>>('containers.json')[file]!
    t.equal(records.length, expected.length)
    const folder = t.testdir(jsonFiles({ 'order.avsc': schema }))
    const longs = file === 'test-null-B.avro' ? 'text' : 'number'
    const single = await start(decodeAvro({ schemas: '.', key, longs }), setupIn(folder))
    const raw = await start(decodeAvro({ schemas: '.', key, longs, framing: 'raw' }), setupIn(folder))
    t.same(
      records.map(record => plain(eventOf(single.process(received(framed(schema, record)), context)).value)),
      expected,
    )
    t.same(
      records.map(record => plain(eventOf(raw.process(received(record), context)).value)),
      expected,
    )
  })
}

t.test('a logical type that is not known is read as its base type', t => {
  const { schema, records } = readContainer('big-decimal.avro')
  const type = buildType(schema)
  t.same(
    records.map(record => plain(type.fromBuffer(record))),
    vectorJson<Record<string, unknown>>('containers.json')['big-decimal.avro'],
  )
  t.end()
})

interface Message {
  readonly name: string
  readonly schema: Schema
  readonly reader: Schema | null
  readonly fingerprint: string
  readonly record: string
  readonly value: unknown
}

for (const message of vectorJson<Message[]>('messages.json')) {
  t.test(`${message.name}: the record means what its writer meant`, async t => {
    const { schema, reader } = message
    t.equal(fingerprintIdentity(fingerprint(schema)).toString('hex'), message.fingerprint, 'fingerprint')
    const folder = t.testdir(jsonFiles({ 'order.avsc': reader ?? schema, 'order@1.avsc': schema }))
    const key = ['text', 'uid', 'name', 'customer'].find(name => name in (message.value as object))!
    const stage = await start(decodeAvro({ schemas: '.', key }), setupIn(folder))
    const payload = framed(schema, Buffer.from(message.record, 'hex'))
    t.same(plain(eventOf(stage.process(received(payload), context)).value), message.value)
  })
}

interface Rejection {
  readonly name: string
  readonly schema: string
  readonly bytesHex: string
}

for (const { name, schema, bytesHex } of vectorJson<{ vectors: Rejection[] }>('binary-rejections.json').vectors) {
  t.test(`${name} is rejected`, async t => {
    const record: Schema = {
      type: 'record',
      name: 'Order',
      fields: [
        { name: 'key', type: 'string' },
        { name: 'bad', type: JSON.parse(schema) as Schema },
      ],
    }
    const stage = await start(
      decodeAvro({ schemas: '.', framing: 'raw' }),
      setupIn(t.testdir(jsonFiles({ 'order.avsc': record }))),
    )
    const payload = Buffer.concat([Buffer.from([2, 0x61]), Buffer.from(bytesHex, 'hex')])
    t.match(stage.process(received(payload), context), { reason: /^(truncated|invalid)$/ })
  })
}
