/**
 * Takes events from the stream into the queue, decoded, as producers would add them. It fills the queue in advance and rests
 * until that is nearly worked off, so that it takes nothing from the workers while they are measured. An event is acknowledged
 * when it is in the queue.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type JsMsg } from 'nats'
import { readSettings } from '../node/settings.js'
import { ShopDecoder } from '../node/shop-events.js'
import { type BullMqSettings, connectionTo, loadBullMq, mostWaiting, queueName } from './bullmq.js'

const refillBelow = 2_000
const lookAgainMs = 2

const settings = readSettings<BullMqSettings>()
const decoder = await ShopDecoder.read(settings.shopFolder)
const queue = new (loadBullMq(settings).Queue)(queueName, connectionTo(settings))
const connection = await connect({ servers: settings.natsUrl, maxReconnectAttempts: -1 })
const consumer = await connection.jetstream().consumers.get(settings.stream, settings.consumer)

/** At most the consumer's max_ack_pending. */
const arrived: JsMsg[] = []
const messages = await consumer.consume({ max_messages: 2_000, callback: message => arrived.push(message) })
let isStopping = false
process.once('SIGTERM', () => (isStopping = true))
let isFilling = true
while (!isStopping) {
  const waiting = await queue.getWaitingCount()
  isFilling = waiting < (isFilling ? mostWaiting : refillBelow)
  if (isFilling && arrived.length > 0) await forward(arrived.splice(0))
  else await sleep(lookAgainMs)
}
await messages.close()
await connection.drain()
await queue.close()

async function forward(batch: readonly JsMsg[]): Promise<void> {
  const jobs = batch.flatMap(({ data, seq }) => {
    const event = decoder.decode(data)
    return event === undefined ? [] : [{ name: event.type, data: { seq, event }, opts: { removeOnComplete: true } }]
  })
  await queue.addBulk(jobs)
  for (const message of batch) message.ack()
}
