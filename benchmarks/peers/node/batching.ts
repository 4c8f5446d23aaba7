/**
 * A consumer as a good engineer writes it in a day. Messages are taken in batches of what has arrived. A batch is three round
 * trips to Redis at most, all its triggers are published at once, and it is acknowledged when all of that is done, so that
 * nothing is lost when the process dies; what was in work is then done again. One acknowledgement is for all messages up to
 * its own, so a batch waits for those before it.
 *
 * Batches overlap: while one waits for Redis another is decoded. Both use one connection, which keeps the order of commands,
 * so the events of a person stay in order.
 */
import { Redis } from 'ioredis'
import { connect, headers, type JsMsg } from 'nats'
import {
  type Command,
  consequencesOf,
  cooldownCommand,
  isCopy,
  rememberCommand,
  segmentCommand,
  type Trigger,
  updateCommands,
} from './profile-updates.js'
import { readSettings } from './settings.js'
import { ShopDecoder, type ShopEvent } from './shop-events.js'

/** By processor time 200 to 1,000 are as good as one another. */
const batchMessages = 500
/** One waits for Redis, one for the broker, one is decoded. */
const batchesAtOnce = 3
/** Asked for in advance, so that the next batch is here when the last is done. */
const prefetchMessages = 4_000

interface Work {
  readonly seq: number
  readonly event: ShopEvent
}

interface Due extends Work {
  readonly trigger: Trigger
}

const settings = readSettings()
const decoder = await ShopDecoder.read(settings.shopFolder)
const redis = new Redis(settings.redisUrl)
// Otherwise each publish records a stack trace in case it fails.
const connection = await connect({ servers: settings.natsUrl, maxReconnectAttempts: -1, noAsyncTraces: true })
const jetstream = connection.jetstream()

const waiting: JsMsg[] = []
let batches = 0
/** Resolves when all batches so far are acknowledged. */
let acknowledged: Promise<unknown> = Promise.resolve()
let invalid = 0

const consumer = await jetstream.consumers.get(settings.stream, settings.consumer)
// The callback costs a third of the iterator. It does not hold the server back, which max_ack_pending of the consumer does.
const messages = await consumer.consume({
  max_messages: prefetchMessages,
  callback: message => {
    waiting.push(message)
    // What else has arrived by then is in the same read of the socket.
    if (waiting.length === 1) setImmediate(startBatches)
  },
})

function startBatches(): void {
  while (waiting.length > 0 && batches < batchesAtOnce) {
    batches++
    const batch = waiting.splice(0, batchMessages)
    const work = workOff(batch).then(() => {
      batches--
      startBatches()
    })
    acknowledged = Promise.all([acknowledged, work]).then(() => batch.at(-1)!.ack())
    acknowledged.catch(fail)
  }
}

async function workOff(batch: readonly JsMsg[]): Promise<void> {
  const decoded = batch.flatMap((message): Work[] => {
    const event = decoder.decode(message.data)
    if (event === undefined) invalid++
    return event === undefined ? [] : [{ seq: message.seq, event }]
  })
  const remembered = await inOneTrip(decoded.map(({ event, seq }) => rememberCommand(event, seq)))
  const fresh = decoded.filter(({ seq }, at) => !isCopy(remembered[at], seq))

  const updates = fresh.map(({ event }) => updateCommands(event))
  const answers = await inOneTrip(updates.flat())
  const followUps: Command[] = []
  const due: Due[] = []
  const cooling: Due[] = []
  let from = 0
  fresh.forEach(({ seq, event }, at) => {
    const { segments, triggers } = consequencesOf(event, answers.slice(from, (from += updates[at]!.length)))
    followUps.push(...segments.map(segment => segmentCommand(segment, event)))
    for (const trigger of triggers) (trigger.cooldownMs === undefined ? due : cooling).push({ seq, event, trigger })
  })

  const cooldowns = cooling.map(({ event, trigger }) => cooldownCommand(trigger.cooldownMs!, event))
  const cooled = await inOneTrip([...cooldowns, ...followUps])
  due.push(...cooling.filter((_, at) => cooled[at] !== null))
  await Promise.all(due.map(publish))
}

/** The answers. Throws the first error. */
async function inOneTrip(commands: Command[]): Promise<unknown[]> {
  if (commands.length === 0) return []
  const results = (await redis.pipeline(commands).exec()) ?? []
  return results.map(([error, answer]) => {
    if (error) throw error
    return answer
  })
}

async function publish({ seq, event, trigger }: Due): Promise<void> {
  const cause = headers()
  cause.set('Bench-Cause', String(seq))
  const data = JSON.stringify(trigger.data)
  await jetstream.publish(`triggers.${trigger.name}.${event.userId}`, data, { headers: cause })
}

/** What is not acknowledged comes again, to the next process. */
function fail(error: unknown): void {
  console.error(error)
  process.exit(1)
}

process.once('SIGTERM', () => {
  void messages.close().then(async () => {
    if (invalid > 0) console.log(`${invalid} events were invalid`)
    await connection.drain()
    redis.disconnect()
  }, fail)
})
