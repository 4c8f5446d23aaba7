/** How far a contender is that acknowledges events to a durable consumer: the server knows. */
import {
  type AckPolicy,
  connect,
  type ConsumerInfo,
  type JetStreamManager,
  nanos,
  type NatsConnection,
  NatsError,
} from 'nats'
import type { Site } from './contender.js'

const notFound = '404'
/** What waits in a peer's own queue must not come again while it waits. */
const ackWaitMs = 120_000

/** How a contender acknowledges. */
interface Acknowledging {
  readonly ackPolicy: AckPolicy
  /** Delivered and not acknowledged; beyond it the server waits. */
  readonly maxAckPending: number
}

export class StreamConsumer {
  private constructor(
    private readonly connection: NatsConnection,
    private readonly manager: JetStreamManager,
    private readonly stream: string,
    readonly name: string,
    /** Stream sequence before the first event. */
    private readonly before: number,
  ) {}

  /** Nothing is made yet: for contenders that make their consumer themselves. An old one of this name is gone. */
  static async watch({ natsUrl, eventsStream }: Site, name: string): Promise<StreamConsumer> {
    const connection = await connect({ servers: natsUrl })
    const manager = await connection.jetstreamManager()
    const { state } = await manager.streams.info(eventsStream)
    const consumer = new StreamConsumer(connection, manager, eventsStream, name, Math.max(0, state.first_seq - 1))
    await consumer.#delete()
    return consumer
  }

  /**
   * A durable pull consumer from the first event on. It has no filter: one that matches everything still makes the server look
   * at each subject.
   */
  static async create(site: Site, name: string, { ackPolicy, maxAckPending }: Acknowledging): Promise<StreamConsumer> {
    const consumer = await StreamConsumer.watch(site, name)
    await consumer.manager.consumers.add(site.eventsStream, {
      durable_name: name,
      ack_policy: ackPolicy,
      max_ack_pending: maxAckPending,
      ack_wait: nanos(ackWaitMs),
    })
    return consumer
  }

  /** Events that were delivered and acknowledged. */
  async acknowledged(): Promise<number> {
    const info = await this.#info()
    return info === undefined ? 0 : Math.max(0, info.delivered.stream_seq - this.before) - info.num_ack_pending
  }

  /** Events of the stream that are not acknowledged. */
  async left(): Promise<number> {
    const info = await this.#info()
    return info === undefined ? 0 : info.num_pending + info.num_ack_pending
  }

  /** The next round begins with a consumer of its own. */
  async close(): Promise<void> {
    await this.#delete()
    await this.connection.close()
  }

  async #info(): Promise<ConsumerInfo | undefined> {
    return this.manager.consumers.info(this.stream, this.name).catch((error: unknown) => {
      if (isNotFound(error)) return undefined
      throw error
    })
  }

  async #delete(): Promise<void> {
    await this.manager.consumers.delete(this.stream, this.name).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof NatsError && error.code === notFound
}
