/** A consumer as one writes it in an hour: one event after the other, and everything is awaited. */
import { Redis } from 'ioredis'
import { connect } from 'nats'
import { OneByOne } from './one-by-one.js'
import { readSettings } from './settings.js'
import { ShopDecoder } from './shop-events.js'

const settings = readSettings()
const decoder = await ShopDecoder.read(settings.shopFolder)
const redis = new Redis(settings.redisUrl)
const connection = await connect({ servers: settings.natsUrl, maxReconnectAttempts: -1 })
const jetstream = connection.jetstream()
const effects = new OneByOne(redis, jetstream)

const consumer = await jetstream.consumers.get(settings.stream, settings.consumer)
const messages = await consumer.consume()
process.once('SIGTERM', () => messages.stop())
for await (const message of messages) {
  const event = decoder.decode(message.data)
  if (event !== undefined) await effects.handle(event, message.seq)
  message.ack()
}
await connection.drain()
redis.disconnect()
