import { isUtf8 } from 'node:buffer'
import { bytes, defineOperator, reject } from '../engine/index.js'
import { envelope, envelopeOptions, envelopeRejects, verifyEnvelope } from './envelope.js'

/** Decodes a JSON object into the event's value, and its key, id and time out of it. */
export const decodeJson = defineOperator({
  name: 'decode_json',
  summary: 'Decode a JSON object in UTF-8.',
  options: {
    maxBytes: bytes({ doc: 'Largest payload.', fallback: '1MB' }),
    ...envelopeOptions,
  },
  rejects: ['too_large', 'not_json', 'not_object', ...envelopeRejects],
  cost: 'About 5 ns a byte. Members called `__proto__` are left out.',
  verify: verifyEnvelope,
  create: options => {
    const { maxBytes } = options
    const toEvent = envelope(options)
    return {
      process: event => {
        const payload = event.bytes
        if (payload.length > maxBytes) return reject('too_large', `${payload.length} bytes, more than ${maxBytes}`)
        if (!isUtf8(payload)) return reject('not_json', 'not UTF-8')
        let value: unknown
        try {
          value = parse(payload.toString('utf8'))
        } catch (cause) {
          return reject('not_json', positionOf(cause))
        }
        if (typeof value !== 'object' || value === null || Array.isArray(value)) {
          const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
          return reject('not_object', `the payload is ${kind}`)
        }
        return toEvent(event, value)
      },
    }
  },
})

// The name, or an escape of one of its letters. Finding out costs little; a reviver on every payload would cost much.
const mayHoldProto = /__proto__|\\u00(5f|6f|7[024])/i

/**
 * `JSON.parse` makes `__proto__` an ordinary member, harmless until somebody assigns the value's members to another object.
 * That somebody may be any later stage, so it does not come in.
 */
function parse(json: string): unknown {
  if (!mayHoldProto.test(json)) return JSON.parse(json)
  return JSON.parse(json, (name, value: unknown) => (name === '__proto__' ? undefined : value))
}

/** The parser's own text quotes the payload, which does not belong into a detail. */
function positionOf(cause: unknown): string {
  const position = /position (\d+)/.exec(String(cause))?.[1]
  return position === undefined ? 'not valid JSON' : `not valid JSON at position ${position}`
}
