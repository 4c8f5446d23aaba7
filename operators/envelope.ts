/**
 * What decode stages share: where in a decoded value an event keeps its key, its id and the time it happened.
 */
import { type Event, loneSurrogate, maxKeyLength, type Problems, type Reject, reject, text } from '../engine/index.js'
import { pathReader, verifyPath } from './path.js'

export const envelopeOptions = {
  key: text({
    doc: 'Path of the key in the decoded value: text of 1 to 1,024 characters, or a number within 2^53.',
    fallback: 'key',
  }),
  id: text({ doc: "Path of the event's id, text or a number within 2^53; an event may have none.", fallback: 'id' }),
  occurredAt: text({
    doc: 'Path of the time it happened: epoch milliseconds or ISO text with a zone; without one, when the broker received it.',
    fallback: 'occurredAt',
  }),
}

export const envelopeRejects = ['key_missing', 'id_invalid', 'time_invalid'] as const

interface EnvelopePaths {
  readonly key: string
  readonly id: string
  readonly occurredAt: string
}

/** Says which of the paths cannot lead anywhere. */
export function verifyEnvelope(paths: EnvelopePaths, problems: Problems): void {
  for (const option of ['key', 'id', 'occurredAt'] as const) verifyPath(option, paths[option], problems)
}

/** Compiles the paths; the result turns a received event and its decoded value into a decoded event. */
export function envelope(paths: EnvelopePaths): (event: Event, value: unknown) => Event | Reject {
  const readKey = pathReader(paths.key)
  const readId = pathReader(paths.id)
  const readOccurredAt = pathReader(paths.occurredAt)

  return (event, value) => {
    const givenKey = readKey(value)
    const key = nameOf(givenKey)
    if (key === undefined || key === '') return reject('key_missing', whyNoName(givenKey, paths.key))
    if (key.length > maxKeyLength) {
      return reject('key_missing', `the text at ${paths.key} is longer than ${maxKeyLength} characters`)
    }
    const givenId = readId(value) ?? ''
    const id = nameOf(givenId)
    if (id === undefined) return reject('id_invalid', whyNoName(givenId, paths.id))
    const givenTime = readOccurredAt(value) ?? event.receivedAt
    const occurredAt = epochMs(givenTime)
    if (occurredAt === undefined) {
      return reject('time_invalid', `neither epoch milliseconds nor ISO text with a zone at ${paths.occurredAt}`)
    }
    return event.decoded(value, key, id === '' ? undefined : id, occurredAt)
  }
}

/** Two names are one only if their events said the same: nothing that parsing or UTF-8 may have rounded to another. */
function nameOf(value: unknown): string | undefined {
  if (typeof value === 'string') return loneSurrogate.test(value) ? undefined : value
  if (typeof value === 'number') return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? String(value) : undefined
  return typeof value === 'bigint' ? String(value) : undefined
}

/** Says it without the value, which may be personal. */
function whyNoName(value: unknown, path: string): string {
  if (typeof value === 'number' && Number.isFinite(value))
    return `the number at ${path} is beyond 2^53 and must be text`
  if (typeof value === 'string' && value !== '') return `the text at ${path} has a lone surrogate`
  return `no text or number at ${path}`
}

// The zone is required: without one the result would depend on where the process runs.
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/
/** The largest time a `Date` can hold, so that every `occurredAt` can be printed. */
const maxEpochMs = 8.64e15

function epochMs(value: unknown): number | undefined {
  if (typeof value === 'string') {
    const ms = iso.test(value) ? Date.parse(value) : NaN
    return Number.isNaN(ms) ? undefined : ms
  }
  const ms = typeof value === 'bigint' ? Number(value) : value
  return typeof ms === 'number' && Math.abs(ms) <= maxEpochMs ? Math.floor(ms) : undefined
}
