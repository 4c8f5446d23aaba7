/** A plain NATS client for tests: publishes events as producers do, reads streams as consumers do. */
import {
  connect,
  type ConnectionOptions,
  headers,
  type JetStreamManager,
  type NatsConnection,
  NatsError,
  type StoredMsg,
} from 'nats'
import { subjectToken } from '../../engine/nats/partitioning.js'
import { answered } from './answered.js'
import type { TestScope } from './servers.js'

export interface TestEvent {
  readonly source?: string
  readonly type: string
  /** Token of the subject; decides the partition. */
  readonly key: string
  readonly payload: unknown
  /** `Nats-Msg-Id`: by which the broker knows a repetition. */
  readonly messageId?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface StoredMessage {
  readonly seq: number
  readonly subject: string
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer
  /** Body as JSON; throws when it is not. */
  json<Value = Record<string, unknown>>(): Value
}

/** One connection to a private server, closed at the test's end. */
export class Broker {
  private constructor(
    readonly connection: NatsConnection,
    readonly manager: JetStreamManager,
  ) {}

  static async connect(t: TestScope, url: string, options: ConnectionOptions = {}): Promise<Broker> {
    const connection = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50, ...options })
    t.teardown(() => connection.close())
    return new Broker(connection, await connection.jetstreamManager({ checkAPI: false }))
  }

  /** Publishes in order; resolves when the broker has all of them. Gives their stream sequences. */
  async publish(...events: readonly TestEvent[]): Promise<number[]> {
    const js = this.connection.jetstream()
    const acks = events.map(({ source = 'test', type, key, payload, messageId, headers: given = {} }) => {
      const header = headers()
      for (const [name, value] of Object.entries(given)) header.set(name, value)
      const bytes = payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload))
      return js.publish(`events.${source}.${type}.${subjectToken(key)}`, bytes, {
        headers: header,
        ...(messageId === undefined ? {} : { msgID: messageId }),
      })
    })
    return (await Promise.all(acks)).map(({ seq }) => seq)
  }

  /** All that the stream holds, from its first message on, as the broker has it. */
  async read(stream: string): Promise<StoredMessage[]> {
    const { state } = await answered(() => this.manager.streams.info(stream))
    const found: StoredMessage[] = []
    // Many at once, because each is a round trip.
    for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq += 200) {
      const count = Math.min(200, state.last_seq - seq + 1)
      const messages = await Promise.all(Array.from({ length: count }, (_, i) => this.#message(stream, seq + i)))
      for (const message of messages) if (message !== undefined) found.push(asStored(message))
    }
    return found
  }

  async count(stream: string): Promise<number> {
    return (await answered(() => this.manager.streams.info(stream))).state.messages
  }

  async #message(stream: string, seq: number): Promise<StoredMsg | undefined> {
    try {
      return await answered(() => this.manager.streams.getMessage(stream, { seq }))
    } catch (error) {
      if (error instanceof NatsError && error.api_error?.code === 404) return undefined // deleted
      throw error
    }
  }
}

function asStored({ seq, subject, data, header }: StoredMsg): StoredMessage {
  const bytes = Buffer.from(data)
  const fields = header === undefined ? [] : [...header].map(([name, values]) => [name, values.join(', ')])
  return {
    seq,
    subject,
    headers: Object.fromEntries(fields) as Record<string, string>,
    bytes,
    json: <Value>() => JSON.parse(bytes.toString()) as Value,
  }
}
