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

/** Throws `MillraceError('outbox_unreadable')`. */
export function decodeEntry(bytes: Buffer): OutboxEntry {
  const [place, seq, ordinal, subject, fields, body] = unpack(bytes)
  const lane = lanes[place as number]
  const isWhole =
    lane !== undefined &&
    Number.isSafeInteger(seq) &&
    Number.isSafeInteger(ordinal) &&
    typeof subject === 'string' &&
    Array.isArray(fields) &&
    fields.every(field => typeof field === 'string') &&
    body instanceof Uint8Array
  if (!isWhole) throw new MillraceError('outbox_unreadable', `a stored effect of ${bytes.length} bytes is damaged`)
  return { lane, seq: seq as number, ordinal: ordinal as number, subject, fields, body, causedAtMs: 0 }
}

function unpack(bytes: Buffer): unknown[] {
  let row: unknown
  try {
    row = packr.unpack(bytes)
  } catch (cause) {
    throw new MillraceError('outbox_unreadable', `a stored effect of ${bytes.length} bytes is damaged`, { cause })
  }
  return Array.isArray(row) ? row : []
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
