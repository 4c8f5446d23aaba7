/** UTF-16 units. A key is part of addresses, subjects and names in Redis. */
export const maxKeyLength = 1_024

/** In UTF-8, so in Redis and on the wire, every lone surrogate becomes U+FFFD: keys and ids that differ here would be one there. */
export const loneSurrogate = /\p{Surrogate}/u

/** What the broker delivered, as it was delivered. Headers are decoded when they are touched, which only a dead letter does. */
export interface Origin {
  /** Stored subject, `events.<partition>.<source>.<type>`. */
  readonly subject: string
  readonly data: Uint8Array
  readonly headers?: Iterable<[string, string[]]> | undefined
}

/** The fields a stage may change with `event.with(...)`; everything else belongs to the broker. */
export interface EventChange<Value> {
  readonly type?: string
  readonly id?: string | undefined
  readonly key?: string
  readonly occurredAt?: number
  readonly value?: Value
}

/**
 * One event on its way through the stages. Immutable: a stage returns a new one.
 *
 * `value` is `undefined` and `key` empty until a decode stage has run. `id` stays `undefined` when the source gives none.
 */
export class Event<Value = unknown> {
  constructor(
    /** Position of the event in the stream; rises within a partition. Children of a `split` share it. */
    readonly seq: number,
    readonly source: string,
    readonly type: string,
    /** Broker's timestamp, epoch milliseconds, whole, never decreasing within a partition. */
    readonly receivedAt: number,
    readonly origin: Origin,
    readonly value: Value,
    /** Whose profile it changes. */
    readonly key: string,
    readonly id: string | undefined,
    /** When it happened, by its own account, epoch milliseconds; the broker's timestamp until a decode stage knows better. */
    readonly occurredAt: number,
  ) {}

  /** Payload as received. A view, not a copy: do not write to it. */
  get bytes(): Buffer {
    const { data } = this.origin
    if (data instanceof Buffer) return data
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  }

  /** A copy with some fields changed. */
  with<Next = Value>(change: EventChange<Next>): Event<Next> {
    return new Event<Next>(
      this.seq,
      this.source,
      change.type ?? this.type,
      this.receivedAt,
      this.origin,
      ('value' in change ? change.value : this.value) as Next,
      change.key ?? this.key,
      'id' in change ? change.id : this.id,
      change.occurredAt ?? this.occurredAt,
    )
  }

  /** The event as a decode stage leaves it. Positional because it runs for every event. */
  decoded<Next>(value: Next, key: string, id: string | undefined, occurredAt: number): Event<Next> {
    return new Event<Next>(this.seq, this.source, this.type, this.receivedAt, this.origin, value, key, id, occurredAt)
  }
}
