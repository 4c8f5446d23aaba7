/** Reads a stream from its first message on, message by message, with nothing but NATS requests. */
import { AckPolicy, createInbox, DeliverPolicy, type JetStreamManager, type Msg, type NatsConnection } from 'nats'
import { answered } from '../../support/answered.js'

export interface StoredMessage {
  readonly seq: number
  readonly subject: string
  /** When the broker stored it, epoch milliseconds with a fraction. Whole ones are what decisions see. */
  readonly brokerMs: number
  readonly payload: Uint8Array
  /** Value of a header, empty when there is none. */
  readonly header: (name: string) => string
}

const pageSize = 5_000
const answerWithinMs = 15_000
const mostAttempts = 4

/** Hands on every message stored at or after `from`, in order. Rejects when one does not arrive. Gives the last sequence. */
export async function eachStored(
  connection: NatsConnection,
  stream: string,
  take: (message: StoredMessage) => void,
  from = 1,
): Promise<number> {
  const manager = await connection.jetstreamManager({ checkAPI: false })
  const { state } = await answered(() => manager.streams.info(stream))
  if (state.messages === 0 || state.last_seq < from) return state.last_seq
  let next = Math.max(from, state.first_seq)
  for (let attempt = 1; next <= state.last_seq; attempt++) {
    try {
      await readFrom(connection, manager, stream, next, message => {
        take(message)
        next = message.seq + 1
      })
      break
    } catch (error) {
      // A consumer may lose its leader; another one goes on where it ended.
      if (attempt === mostAttempts) throw error
    }
  }
  return state.last_seq
}

async function readFrom(
  connection: NatsConnection,
  manager: JetStreamManager,
  stream: string,
  from: number,
  take: (message: StoredMessage) => void,
): Promise<void> {
  const options = {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: from,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: 60e9,
  }
  const consumer = await answered(() => manager.consumers.add(stream, options))
  const wanted = consumer.num_pending
  for (let count = 0; count < wanted;) {
    const page = Math.min(pageSize, wanted - count)
    const first = count + 1
    let arrived = 0
    await eachOfPage(connection, `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer.name}`, page, message => {
      take(parse(message, first + arrived++))
    })
    count += page
  }
  await forget(manager, stream, consumer.name)
}

function eachOfPage(connection: NatsConnection, request: string, count: number, take: (message: Msg) => void) {
  const inbox = createInbox()
  return new Promise<void>((resolve, reject) => {
    let left = count
    const overdue = setTimeout(() => settle(new Error(`${request}: ${left} of ${count} are missing`)), answerWithinMs)
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error !== null) return settle(error)
        if (message.headers?.code) return settle(new Error(`${request}: ${message.headers.description}`))
        try {
          take(message)
        } catch (broken) {
          return settle(broken as Error)
        }
        if (--left === 0) settle()
      },
    })
    const settle = (error?: Error) => {
      clearTimeout(overdue)
      subscription.unsubscribe()
      if (error === undefined) resolve()
      else reject(error)
    }
    connection.publish(request, JSON.stringify({ batch: count, expires: answerWithinMs * 1e6 }), { reply: inbox })
  })
}

/** It would vanish by itself after a minute. */
async function forget(manager: JetStreamManager, stream: string, consumer: string): Promise<void> {
  await manager.consumers.delete(stream, consumer).catch(() => false)
}

/** The reply subject says it all: `$JS.ACK.<stream>.<consumer>.<delivered>.<seq>.<number>.<nanoseconds>.<pending>`. */
function parse(message: Msg, expectedNumber: number): StoredMessage {
  const [, seq, number, nanoseconds] = message.reply!.split('.').slice(4) as [string, string, string, string]
  if (Number(number) !== expectedNumber) throw new Error(`message ${expectedNumber} is missing before ${number}`)
  return {
    seq: Number(seq),
    subject: message.subject,
    // Nanoseconds do not fit a number, microseconds do.
    brokerMs: Number(nanoseconds.slice(0, -3)) / 1_000,
    payload: message.data,
    header: name => message.headers?.get(name) ?? '',
  }
}
