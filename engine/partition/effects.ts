/**
 * Turns what a fold decided into outbox entries: numbered, addressed, encoded. The number (`seq`, `ordinal`) is the same in
 * every replay, so the message id is too, and a broker or consumer recognizes a repetition.
 */
import type { Origin } from '../event.js'
import type { Effects } from '../model.js'
import type { Lane, Names } from '../nats/names.js'
import { positionHeader, sizeOf, type OutboxEntry } from '../outbox/outbox-entry.js'
import type { RejectedEvent } from '../stages.js'

/** What a message says besides where it comes from. */
interface Message {
  readonly trigger?: string
  readonly reason?: string
  readonly segment?: string
  readonly change?: string
  readonly at: number
  readonly data?: unknown
}

/** What was decided, counted for the metrics of one batch. Keys are `<name>` or `<name> <detail>`. */
export class EffectCounts {
  readonly triggers = new Map<string, number>()
  readonly suppressed = new Map<string, number>()
  readonly segments = new Map<string, number>()
  readonly failed = new Map<string, number>()
  readonly late = new Map<string, number>()
  readonly deadLetters = new Map<string, number>()
}

export interface EffectScope {
  readonly profile: string
  readonly partition: number
  /** First part of message ids. */
  readonly incarnation: string
  /** What was added to stream sequences. */
  readonly sequenceOffset: number
  /** The largest message the server takes, bytes, headers included. */
  readonly maxMessageBytes: number
}

/** What a definition emits is for people's inboxes; a body beyond this is a mistake, wherever the server would take it. */
const maxBodyBytes = 256 * 1024
/** Room for the headers of what a definition emits: ids, the key, and what publishing is fenced by. */
const ownHeaderBytes = 4 * 1024
/** Room for the headers of a dead letter. */
const headerBytes = 16 * 1024
/** Of that, for those of the original. */
const originalHeaderBytes = 8 * 1024

/** A text of an error may be as long as it likes. */
const maxDetailLength = 1_000

const noEntries: OutboxEntry[] = []
/** Of the many small batches that decide nothing. */
const noCounts = new EffectCounts()

export class EffectCollector implements Effects {
  entries: OutboxEntry[] = noEntries
  #counts: EffectCounts | undefined
  /** Size of what was collected. */
  bytes = 0
  /** Coordinate of the next effect. */
  seq = 0
  ordinal = 0
  /** Profile that is being folded. */
  key = ''
  /** Broker's time of the event being folded, with fraction; 0 while timers fire. */
  causedAtMs = 0

  constructor(
    private readonly names: Names,
    private readonly scope: EffectScope,
  ) {}

  /** Hands over what was collected and starts anew. */
  take(): { entries: OutboxEntry[]; counts: EffectCounts } {
    const { entries } = this
    const counts = this.#counts ?? noCounts
    this.entries = noEntries
    this.#counts = undefined
    this.bytes = 0
    return { entries, counts }
  }

  get counts(): EffectCounts {
    return (this.#counts ??= new EffectCounts())
  }

  /** Effects from here on follow this event. */
  follow(seq: number): void {
    if (seq === this.seq) return
    this.seq = seq
    this.ordinal = 0
  }

  trigger(name: string, at: number, data: unknown): void {
    this.#publish('triggers', name, { trigger: name, at, data })
    count(this.counts.triggers, name)
  }

  suppressed(name: string, reason: string, at: number): void {
    count(this.counts.suppressed, `${name} ${reason}`)
    this.#publish('suppressed', `${name}.${reason}`, { trigger: name, reason, at })
  }

  segment(name: string, change: 'entered' | 'exited', at: number): void {
    count(this.counts.segments, `${name} ${change}`)
    this.#publish('segments', `${name}.${change}`, { segment: name, change, at })
  }

  failed(segment: string): void {
    count(this.counts.failed, segment)
  }

  late(trait: string): void {
    count(this.counts.late, trait)
  }

  /** The original bytes and headers, and why. */
  deadLetter({ event, stage, reason, detail }: RejectedEvent): void {
    count(this.counts.deadLetters, `${stage} ${reason}`)
    const fields = this.#fields(this.#nextId(), event.key)
    fields.push(
      'Millrace-Stage',
      stage,
      'Millrace-Reason',
      reason,
      'Millrace-Error',
      oneLine(detail).slice(0, maxDetailLength),
    )
    fields.push(
      'Millrace-Stream',
      this.names.streams.events,
      'Millrace-Sequence',
      String(event.seq - this.scope.sequenceOffset),
    )
    fields.push('Millrace-Subject', event.origin.subject)
    fields.push(...originalHeaders(event.origin))
    let { data } = event.origin
    const room = this.scope.maxMessageBytes - headerBytes
    if (data.length > room) {
      // As large as the server takes, an event has no room for the headers that say why it is here.
      fields.push('Millrace-Truncated-From', String(data.length))
      data = data.subarray(0, room)
    }
    // A copy: the original lies in a chunk of events that would live as long as this one waits to be published.
    this.#add('deadletters', `${stage}.${reason}`, fields, Buffer.from(data))
  }

  #publish(lane: Lane, subject: string, { trigger, reason, segment, change, at, data }: Message): void {
    const id = this.#nextId()
    const { key, seq } = this
    const { profile } = this.scope
    // Members that are undefined are left out.
    const body = Buffer.from(JSON.stringify({ id, trigger, reason, segment, change, profile, key, at, seq, data }))
    const cap = Math.min(maxBodyBytes, this.scope.maxMessageBytes - ownHeaderBytes)
    if (body.length > cap) throw new RangeError(`${lane} ${subject} emits ${body.length} bytes, the cap is ${cap}`)
    this.#add(lane, subject, this.#fields(id, key), body)
  }

  #nextId(): string {
    return `${this.scope.incarnation}:${this.scope.partition}:${this.seq}:${this.ordinal}`
  }

  #fields(id: string, key: string): string[] {
    const fields = ['Nats-Msg-Id', id, positionHeader, `${this.seq}:${this.ordinal}`]
    if (key !== '') fields.push('Millrace-Key', oneLine(key))
    return fields
  }

  #add(lane: Lane, tokens: string, fields: string[], body: Uint8Array): void {
    if (this.entries === noEntries) this.entries = []
    const entry = {
      lane,
      seq: this.seq,
      ordinal: this.ordinal++,
      subject: `${this.names.root(lane)}.${tokens}.${this.scope.partition}`,
      fields,
      body,
      causedAtMs: this.causedAtMs,
    }
    this.bytes += sizeOf(entry)
    this.entries.push(entry)
  }
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}

/** A header value ends at a line break; an error's text or a key may hold one. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}

/** Names and values in turn. What does not fit or cannot be read is left out and counted: a dead letter must get through. */
function originalHeaders(origin: Origin): string[] {
  const fields: string[] = []
  let left = originalHeaderBytes
  let dropped = 0
  try {
    for (const [name, values] of origin.headers ?? []) {
      // The broker's own headers steered the first publishing and must not steer this one.
      if (name.startsWith('Nats-')) continue
      for (const value of values) {
        left -= Buffer.byteLength(name) + Buffer.byteLength(value) + 4
        if (left < 0) dropped++
        else fields.push(name, value)
      }
    }
  } catch {
    // Producers may write names that the client refuses to decode.
    return ['Millrace-Headers-Dropped', 'all']
  }
  if (dropped > 0) fields.push('Millrace-Headers-Dropped', String(dropped))
  return fields
}
