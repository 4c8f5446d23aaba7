/** Reads streams back, from their first message on, with nothing but NATS requests. */
import {
  AckPolicy,
  createInbox,
  DeliverPolicy,
  type JetStreamManager,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
} from 'nats'

export interface StoredMessage {
  readonly seq: number
  readonly subject: string
  /** When the broker stored it: whole epoch milliseconds, and the fraction of one. */
  readonly brokerMs: number
  readonly brokerFraction: number
  readonly payload: Uint8Array
  /** Parsed when asked for. */
  readonly headers: () => MsgHdrs | undefined
}

/** So many are asked for at once: enough to keep the server busy, few enough for its buffers. */
const pageSize = 5_000
const answerWithinMs = 10_000

export class StreamReader {
  private constructor(
    private readonly connection: NatsConnection,
    private readonly manager: JetStreamManager,
  ) {}

  static async open(connection: NatsConnection): Promise<StreamReader> {
    return new StreamReader(connection, await connection.jetstreamManager())
  }

  async count(stream: string): Promise<number> {
    return (await this.manager.streams.info(stream)).state.messages
  }

  /** All messages under subjects that match the filter, in order. Rejects when one is missing. */
  async read(stream: string, filter: string): Promise<StoredMessage[]> {
    const consumer = await this.manager.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
      filter_subject: filter,
      mem_storage: true,
      inactive_threshold: 60e9,
    })
    const expected = consumer.num_pending
    const messages: StoredMessage[] = []
    const request = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer.name}`
    while (messages.length < expected) {
      const page = await this.#page(request, Math.min(pageSize, expected - messages.length))
      for (const message of page) messages.push(parse(message, messages.length + 1))
    }
    await this.manager.consumers.delete(stream, consumer.name)
    return messages
  }

  async #page(request: string, count: number): Promise<Msg[]> {
    const inbox = createInbox()
    const page: Msg[] = []
    return new Promise((resolve, reject) => {
      const overdue = setTimeout(() => settle(new Error(`${request}: ${page.length} of ${count}`)), answerWithinMs)
      const subscription = this.connection.subscribe(inbox, {
        callback: (error, message) => {
          if (error !== null) return settle(error)
          if (message.headers?.code) return settle(new Error(`${request}: ${message.headers.description}`))
          page.push(message)
          if (page.length === count) settle()
        },
      })
      const settle = (error?: Error) => {
        clearTimeout(overdue)
        subscription.unsubscribe()
        if (error === undefined) resolve(page)
        else reject(error)
      }
      this.connection.publish(request, JSON.stringify({ batch: count, expires: answerWithinMs * 1e6 }), {
        reply: inbox,
      })
    })
  }
}

/** The reply subject says it all: `$JS.ACK.<stream>.<consumer>.<delivered>.<seq>.<number>.<nanoseconds>.<pending>`. */
function parse(message: Msg, expectedNumber: number): StoredMessage {
  const tokens = message.reply!.split('.')
  const [, seq, number, nanoseconds] = tokens.slice(4) as [string, string, string, string]
  if (Number(number) !== expectedNumber) throw new Error(`message ${expectedNumber} is missing before ${number}`)
  return {
    seq: Number(seq),
    subject: message.subject,
    // Nanoseconds do not fit a number: cut the text.
    brokerMs: Number(nanoseconds.slice(0, -6)),
    brokerFraction: Number(nanoseconds.slice(-6)) / 1e6,
    payload: message.data,
    headers: () => message.headers,
  }
}
