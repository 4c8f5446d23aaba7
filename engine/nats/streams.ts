/** Leader reads of stream facts and single messages. Never direct get: a replica that lags would answer with the past. */
import { setTimeout as delay } from 'node:timers/promises'
import type { JetStreamManager, NatsConnection, StoredMsg } from 'nats'
import { MillraceError } from '../errors.js'
import { isNotFound, natsError } from './connection.js'
import { fenceOf, type Fence, type FenceFacts } from './fence.js'
import { fnv1a32Bytes } from './partitioning.js'

export interface StreamFacts extends FenceFacts {
  /** Creation time as the server writes it; differs for a stream recreated under the same name. */
  readonly created: string
  readonly firstSeq: number
  readonly lastSeq: number
  readonly messages: number
  readonly bytes: number
  /** Kept by several servers. */
  readonly isReplicated: boolean
}

export interface StoredEffect {
  readonly seq: number
  /** Epoch milliseconds by the broker's clock. */
  readonly storedAt: number
  readonly headers: Iterable<[string, string[]]>
  readonly header: (name: string) => string
}

export interface LedgerEntry {
  readonly stateId: string
  readonly definition: string
  /** Position from which the definition is in force. */
  readonly definitionFrom: number
  /** How many times it has changed. */
  readonly definitionChanges: number
  /** The event stream that the state was computed from, and what was added to its sequences. */
  readonly streamCreated: string
  readonly sequenceOffset: number
}

/** Since 2.12 and 2.14; the client does not know them yet and passes them on. */
export interface BatchConfig {
  readonly allow_atomic?: boolean
  readonly allow_batched?: boolean
}

export interface LedgerRecord {
  readonly entry: LedgerEntry | undefined
  /** Where it is in its stream; 0 when nothing is on record. */
  readonly streamSeq: number
}

/** `<stream sequence>:<broker time, ms>:<payload hash>`: recognizes an event without keeping it. */
export function anchorOf(seq: number, receivedAt: number, payload: Uint8Array): string {
  return `${seq}:${receivedAt}:${fnv1a32Bytes(payload).toString(16)}`
}

/** A request to a leader that is gone is never answered; there is another one soon. */
const requestMs = 3_000
/** Several partitions attach or check at once; one answer of this age serves them all. */
const factsAgeMs = 200
/** How a replicated stream that ends too early is looked at again. */
export interface Patience {
  /**
   * After that it is believed, because a new leader has applied what its servers hold. Three servers that were killed and started again on two
   * busy cores took more than three seconds.
   */
  readonly believesAfterMs: number
  /** So long one call asks, at most. */
  readonly asksMs: number
}

/** An engine must come back to its leases; it asks again when it attaches again. */
export const enginePatience: Patience = { believesAfterMs: 15_000, asksMs: 3_000 }
/** A person waits for the answer. */
export const commandPatience: Patience = { ...enginePatience, asksMs: Infinity }

const askAgainMs = 250

export class Streams {
  readonly #facts = new Map<string, { at: number; facts: Promise<StreamFacts> }>()
  /** Streams that end before what they held, from when on (monotonic), and what is missing. */
  readonly #short = new Map<string, { readonly since: number; readonly seq: number }>()

  private constructor(
    private readonly connection: NatsConnection,
    readonly manager: JetStreamManager,
    private readonly isFenced: boolean,
    private readonly patience: Patience,
  ) {}

  /** Throws `jetstream_missing` when the server or account has none. `isFenced` is false in tests only. */
  static async open(connection: NatsConnection, isFenced = true, patience = enginePatience): Promise<Streams> {
    try {
      return new Streams(connection, await connection.jetstreamManager({ timeout: requestMs }), isFenced, patience)
    } catch (error) {
      const failure = natsError(error, 'cannot use JetStream')
      if (failure.code === 'jetstream_missing') {
        const { host, port } = connection.info ?? { host: '?', port: 0 }
        throw new MillraceError(
          'jetstream_missing',
          `NATS server ${host}:${port} has no JetStream; start it with -js`,
          {
            cause: error,
          },
        )
      }
      throw failure
    }
  }

  /** Asked for at `notBefore` (monotonic) or later, by somebody. Throws `stream_missing` when there is no such stream. */
  facts(stream: string, notBefore = performance.now() - factsAgeMs): Promise<StreamFacts> {
    const known = this.#facts.get(stream)
    const now = performance.now()
    if (known !== undefined && known.at >= notBefore) return known.facts
    const facts = this.freshFacts(stream)
    this.#facts.set(stream, { at: now, facts })
    facts.catch(() => this.#facts.delete(stream))
    return facts
  }

  /**
   * The same of a stream that held an event at `seq`. When all servers of a replicated stream have been down, the new leader answers before
   * it has applied all that they hold: a stream that ends earlier is asked again for some seconds, and until it has been so for longer than that
   * lasts this throws `nats_unavailable`.
   */
  async settledFacts(
    stream: string,
    { created, seq }: { readonly created: string; readonly seq: number },
    notBefore = performance.now(),
  ): Promise<StreamFacts> {
    const askedUntil = performance.now() + this.patience.asksMs
    for (let from = notBefore; ; from = performance.now() - askAgainMs / 2) {
      const facts = await this.facts(stream, from)
      if (!this.#isShort(stream, facts, { created, seq })) return facts
      if (performance.now() >= askedUntil) {
        const text = `stream "${stream}" ends at sequence ${facts.lastSeq}, ${seq} was processed: its leader may not know of it yet`
        throw new MillraceError('nats_unavailable', text)
      }
      await delay(askAgainMs)
    }
  }

  /** It ends earlier, and not for so long that this must be believed. */
  #isShort(
    stream: string,
    facts: StreamFacts,
    { created, seq }: { readonly created: string; readonly seq: number },
  ): boolean {
    const known = this.#short.get(stream)
    if (known !== undefined && facts.lastSeq >= known.seq) this.#short.delete(stream)
    if (!facts.isReplicated || facts.created !== created || facts.lastSeq >= seq) return false
    const now = performance.now()
    const since = this.#short.get(stream)?.since ?? now
    this.#short.set(stream, { since, seq: Math.max(seq, known?.seq ?? 0) })
    return now - since < this.patience.believesAfterMs
  }

  async freshFacts(stream: string): Promise<StreamFacts> {
    try {
      const { created, state, config } = await this.manager.streams.info(stream)
      const { allow_atomic, allow_batched } = config as BatchConfig
      // A stream that never held a message says 0.
      return {
        created,
        firstSeq: Math.max(1, state.first_seq),
        lastSeq: state.last_seq,
        messages: state.messages,
        bytes: state.bytes,
        duplicateWindowMs: config.duplicate_window / 1e6,
        takesAtomicBatches: allow_atomic === true,
        takesFastBatches: allow_batched === true,
        isReplicated: config.num_replicas > 1,
      }
    } catch (error) {
      if (isNotFound(error))
        throw new MillraceError('stream_missing', `there is no stream "${stream}"`, { cause: error })
      throw natsError(error, `cannot read the state of stream "${stream}"`)
    }
  }

  /** What the server that is connected now checks about a publish to a stream. */
  fence(facts: FenceFacts): Fence {
    return this.isFenced ? fenceOf(this.connection.info?.version ?? '0', facts) : 'none'
  }

  /** Anchor of the stored message, or `undefined` when it is not stored any more. */
  async anchor(stream: string, seq: number): Promise<string | undefined> {
    const message = await this.#message(stream, { seq })
    if (message === undefined) return undefined
    return anchorOf(message.seq, Math.floor(message.time.getTime()), message.data)
  }

  /** Last stored message that matches the filter. */
  async last(stream: string, filter: string): Promise<StoredEffect | undefined> {
    const message = await this.#message(stream, { last_by_subj: filter })
    if (message === undefined) return undefined
    const { seq, time, header } = message
    return { seq, storedAt: time.getTime(), headers: header, header: name => header?.get(name) ?? '' }
  }

  async ledger(stream: string, subject: string): Promise<LedgerRecord> {
    const message = await this.#message(stream, { last_by_subj: subject })
    if (message === undefined) return { entry: undefined, streamSeq: 0 }
    return { entry: message.json<LedgerEntry>(), streamSeq: message.seq }
  }

  /** Fails when another record was made since the one at `afterSeq`: whoever comes late must not hide it. */
  async record(subject: string, entry: LedgerEntry, afterSeq: number): Promise<void> {
    try {
      const expect = { lastSubjectSequence: afterSeq }
      await this.connection.jetstream({ timeout: 5_000 }).publish(subject, JSON.stringify(entry), { expect })
    } catch (error) {
      throw natsError(error, `cannot record "${subject}"`)
    }
  }

  /** Forgets what is on record under a subject. */
  async forget(stream: string, subject: string): Promise<void> {
    try {
      await this.manager.streams.purge(stream, { filter: subject })
    } catch (error) {
      throw natsError(error, `cannot forget "${subject}"`)
    }
  }

  async #message(stream: string, query: { seq: number } | { last_by_subj: string }): Promise<StoredMsg | undefined> {
    try {
      return await this.manager.streams.getMessage(stream, query)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw natsError(error, `cannot read stream "${stream}"`)
    }
  }
}
