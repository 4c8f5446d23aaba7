/**
 * Decodes Avro: header to writer schema, writer schema to reader schema, record to envelope. The parts are in `avro/`:
 * `framing` the headers, `schema-folder` which schemas there are, `build-type` how a schema becomes something safe.
 */
import path from 'node:path'
import { type Reject, bytes, defineOperator, messageOf, oneOf, reject, text, MillraceError } from '../engine/index.js'
import { type Framing, confluent, singleObject } from './avro/framing.js'
import { TruncatedBlock } from './avro/safe-types.js'
import { type SchemaFamily, type Writer, readSchemaFolder } from './avro/schema-folder.js'
import { envelope, envelopeOptions, envelopeRejects, verifyEnvelope } from './envelope.js'

const framings: Readonly<Record<string, Framing>> = { single_object: singleObject, confluent }

/** Decodes an Avro record into the event's value, and its key, id and time out of it. */
export const decodeAvro = defineOperator({
  name: 'decode_avro',
  summary: 'Decode an Avro record, whoever wrote it, as the current schema of its event type.',
  options: {
    schemas: text({
      doc: 'Folder of schemas: `<type>.avsc` reads events of that type, `<type>@<anything>.avsc` are older writer schemas of it; with Confluent framing, `ids.json` maps each id or guid to a file.',
    }),
    schema: text({ doc: 'Event type whose schemas every event uses, whatever its own type.', optional: true }),
    framing: oneOf({
      of: ['single_object', 'confluent', 'raw'],
      doc: "What stands before the record: a fingerprint, a Confluent id or guid, or nothing (the event type's own schema wrote it).",
      fallback: 'single_object',
    }),
    longs: oneOf({
      of: ['number', 'text', 'bigint'],
      doc: 'What a long becomes; as a number, one beyond 2^53 is rejected. BigInts cannot be stored in a profile.',
      fallback: 'number',
    }),
    maxBytes: bytes({ doc: 'Largest payload, header included.', fallback: '1MB' }),
    ...envelopeOptions,
  },
  rejects: ['too_large', 'wrong_framing', 'unknown_schema', 'truncated', 'invalid', ...envelopeRejects],
  cost:
    'About 1.4 us for a record of ten fields. Times become epoch milliseconds, decimals text, bytes Buffers; a union of types ' +
    'that look alike in JavaScript keeps its branch name, as in `{ "com.acme.Order": ... }`. Schemas are read at the start.',
  verify: verifyEnvelope,
  create: async (options, setup) => {
    const families = await readSchemaFolder(path.resolve(setup.folder, options.schemas), {
      identifiedBy: options.framing === 'confluent' ? 'id' : 'fingerprint',
      longs: options.longs,
    })
    const fixed = options.schema === undefined ? undefined : families.get(options.schema)
    if (options.schema !== undefined && fixed === undefined) {
      throw new MillraceError('pipeline_invalid', `schema must be in ${options.schemas}, got "${options.schema}"`)
    }
    const framing = framings[options.framing]
    const { maxBytes } = options
    const toEvent = envelope(options)

    return {
      process: event => {
        const payload = event.bytes
        if (payload.length > maxBytes) return reject('too_large', `${payload.length} bytes, more than ${maxBytes}`)
        const family = fixed ?? families.get(event.type)
        if (family === undefined) return reject('unknown_schema', `no schema for events of type ${event.type}`)
        const start = framing === undefined ? 0 : framing.headerBytes(payload)
        const writer = framing === undefined ? family.current : findWriter(framing, family, payload, start)
        if ('reason' in writer) return writer
        try {
          const { value, offset } = writer.reader.decode(payload, start, writer.resolver) as {
            value: unknown
            offset: number
          }
          if (offset === -1) return reject('truncated', `the record does not end within ${payload.length} bytes`)
          if (offset < payload.length) return reject('invalid', `${payload.length - offset} bytes after the record`)
          return toEvent(event, value)
        } catch (cause) {
          return reject(cause instanceof TruncatedBlock ? 'truncated' : 'invalid', messageOf(cause))
        }
      },
    }
  },
})

/** Who wrote the record behind a header of `end` bytes. */
function findWriter(framing: Framing, family: SchemaFamily, payload: Buffer, end: number): Writer | Reject {
  if (end === -1) return reject('wrong_framing', `expected ${framing.expects}`)
  if (payload.length < end) return reject('truncated', `the header does not end within ${payload.length} bytes`)
  const writer = family.writers.get(payload, framing.identityAt, end)
  if (writer !== undefined) return writer
  return reject('unknown_schema', `no schema with ${framing.show(payload.subarray(framing.identityAt, end))}`)
}
