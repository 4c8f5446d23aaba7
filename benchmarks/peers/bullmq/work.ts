/** A worker of BullMQ: a job is an event. Jobs run side by side, and their commands share round trips. */
import { Redis } from 'ioredis'
import { connect } from 'nats'
import { OneByOne } from '../node/one-by-one.js'
import { readSettings } from '../node/settings.js'
import { type BullMqSettings, connectionTo, loadBullMq, queueName } from './bullmq.js'

/** As its documentation advises for jobs that wait for others; 300 is no faster, 50 is slower. */
const concurrency = 100

const settings = readSettings<BullMqSettings>()
const redis = new Redis(settings.redisUrl, { enableAutoPipelining: true })
const connection = await connect({ servers: settings.natsUrl, maxReconnectAttempts: -1, noAsyncTraces: true })
const effects = new OneByOne(redis, connection.jetstream())

const worker = new (loadBullMq(settings).Worker)(
  queueName,
  async ({ data: { event, seq } }) => {
    if (settings.hasEffects) await effects.handle(event, seq)
  },
  { ...connectionTo(settings), concurrency },
)
worker.on('error', fail)
worker.on('failed', (_, error) => fail(error))

process.once('SIGTERM', () => {
  void worker.close().then(async () => {
    await connection.drain()
    redis.disconnect()
  }, fail)
})

/** Jobs in work are found by the next worker. */
function fail(error: unknown): void {
  console.error(error)
  process.exit(1)
}
