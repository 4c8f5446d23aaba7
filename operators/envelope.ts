/**
 * What decode stages share: where in a decoded value an event keeps its key, its id and the time it happened.
 */
import { type Event, type Problems, type Reject, reject, text } from '../engine/index.js'
import { pathReader, verifyPath } from './path.js'

export const envelopeOptions = {
  key: text({ doc: 'Path of the key in the decoded value: text that is not empty, or a number.', fallback: 'key' }),
  id: text({ doc: "Path of the event's id, text or a number; an event may have none.", fallback: 'id' }),
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
    const key = nameOf(readKey(value))
    if (key === undefined || key === '') return reject('key_missing', `no text or number at ${paths.key}`)
    const givenId = readId(value) ?? ''
    const id = nameOf(givenId)
    if (id === undefined) return reject('id_invalid', `neither text nor a number at ${paths.id}`)
    const givenTime = readOccurredAt(value) ?? event.receivedAt
    const occurredAt = epochMs(givenTime)
    if (occurredAt === undefined) {
      return reject('time_invalid', `neither epoch milliseconds nor ISO text with a zone at ${paths.occurredAt}`)
    }
    return event.decoded(value, key, id === '' ? undefined : id, occurredAt)
  }
}

function nameOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))) return String(value)
  return undefined
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
