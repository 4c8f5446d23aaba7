/**
 * One thing to publish, and its stored form: a MessagePack array `[lane, seq, ordinal, subject, fields, body]`. The entry
 * holds everything, so publishing after a restart needs neither the definition nor the event.
 */
import { Packr } from 'msgpackr'
import { MillraceError } from '../errors.js'
import { lanes, type Lane } from '../nats/names.js'

export interface OutboxEntry {
  readonly lane: Lane
  /** Coordinate of the effect: the event it follows, and its number after that event. Rises within a partition. */
  readonly seq: number
  readonly ordinal: number
  readonly subject: string
  /** Header names and values in turn. */
  readonly fields: readonly string[]
  readonly body: Uint8Array
  /** Broker's time of the causing event, ms with fraction; 0 when time alone caused it or after a restart. Not stored. */
  readonly causedAtMs: number
}

/** Bytes that an entry takes in the store, about: what bounds of outbox and commit count. */
export function sizeOf({ subject, fields, body }: OutboxEntry): number {
  let bytes = body.length + subject.length
  for (const field of fields) bytes += field.length
  return bytes
}

/** Header that carries the coordinate, `<seq>:<ordinal>`; attach reads it from a partition's last published message. */
export const positionHeader = 'Millrace-Position'

const packr = new Packr({ useRecords: false })

export function encodeEntry(entry: OutboxEntry): Buffer {
  return packr.pack([
    lanes.indexOf(entry.lane),
    entry.seq,
    entry.ordinal,
    entry.subject,
    entry.fields,
    entry.body,
  ]) as Buffer
}

/** All of a stored outbox, oldest first; `name` says whose it is. Throws `MillraceError('outbox_unreadable')`. */
export function decodeEntries(stored: readonly Buffer[], name: string): OutboxEntry[] {
  return stored.map((bytes, at) => {
    const entry = decodeEntry(bytes)
    if (entry !== undefined) return entry
    const place = `entry ${at + 1} of ${stored.length} in ${name}`
    throw new MillraceError('outbox_unreadable', `${place} is damaged, ${bytes.length} bytes`)
  })
}

/** `undefined` when it is not an entry. */
function decodeEntry(bytes: Buffer): OutboxEntry | undefined {
  const [place, seq, ordinal, subject, fields, body] = unpack(bytes)
  const lane = isCount(place) ? lanes[place] : undefined
  const isWhole =
    isCount(seq) && isCount(ordinal) && typeof subject === 'string' && isFields(fields) && body instanceof Uint8Array
  return lane && isWhole ? { lane, seq, ordinal, subject, fields, body, causedAtMs: 0 } : undefined
}

function unpack(bytes: Buffer): readonly unknown[] {
  try {
    const row: unknown = packr.unpack(bytes)
    return Array.isArray(row) ? row : []
  } catch {
    return []
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isFields(value: unknown): value is string[] {
  return Array.isArray(value) && value.length % 2 === 0 && value.every(field => typeof field === 'string')
}

/** A coordinate that nothing precedes. */
export const noCoordinate: Coordinate = { seq: -1, ordinal: -1 }

export interface Coordinate {
  readonly seq: number
  readonly ordinal: number
}

export function isAfter(left: Coordinate, right: Coordinate): boolean {
  return left.seq > right.seq || (left.seq === right.seq && left.ordinal > right.ordinal)
}

/** Reads `<seq>:<ordinal>`; `undefined` when it is not one. */
export function parseCoordinate(text: string): Coordinate | undefined {
  const match = /^(\d+):(\d+)$/.exec(text)
  return match === null ? undefined : { seq: Number(match[1]), ordinal: Number(match[2]) }
}
