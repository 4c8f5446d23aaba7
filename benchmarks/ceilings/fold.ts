/**
 * How fast can this process decode, validate, deduplicate, enrich, fold and encode, when events are in memory already and
 * commits stay there?
 *
 * Load: the events of the stream in the batches of a recorded run, through the engine's own stages and folder and the memory
 * store. Not in it: receiving, writing to Redis, publishing.
 */
import { loadConfig, type Config } from '../../engine/config/config.js'
import { limitsOf } from '../../engine/config/limits.js'
import { Event } from '../../engine/event.js'
import { loadPipeline } from '../../engine/load-pipeline.js'
import type { Batch } from '../../engine/nats/arrivals.js'
import { connectNats } from '../../engine/nats/connection.js'
import { Names } from '../../engine/nats/names.js'
import { Streams } from '../../engine/nats/streams.js'
import { readStream } from '../harness/read-stream.js'
import { FoldLoop, startStages, type PartitionBatch } from './fold-loop.js'
import { readRecording } from './recording.js'
import { Stopwatch } from './stopwatch.js'
import type { Job, Prepare } from './task.js'

export const prepareFold: Prepare = async job => {
  const config = loadConfig({ file: job.configFile, env: {} })
  const { pipeline, folder } = await loadPipeline(config.pipeline)
  const batches = await readBatches(config, job)
  const stopwatch = new Stopwatch()
  const chain = await startStages(pipeline, folder, () => stopwatch)
  const loop = new FoldLoop(pipeline, config, chain, stopwatch)
  return { run: () => loop.run(batches), close: () => chain.close() }
}

/** All events in memory, cut where the recorded run committed. */
async function readBatches(config: Config, { recording, counts }: Job): Promise<PartitionBatch[]> {
  const names = new Names(config.streams)
  const limits = limitsOf(config, counts.length)
  const connection = await connectNats(config.nats, 'millrace bench')
  const streams = await Streams.open(connection)
  const read: Batch[] = []
  for (const [partition, count] of counts.entries()) {
    const all: Batch = { events: [], brokerMs: [] }
    const part = { stream: names.streams.events, filter: names.eventFilter(partition), count, limits }
    await readStream(connection, streams, part, ({ events, brokerMs }) => {
      for (const event of events) all.events.push(detached(event))
      all.brokerMs.push(...brokerMs)
    })
    read.push(all)
  }
  await connection.close()
  const taken = counts.map(() => 0)
  const batches: PartitionBatch[] = []
  for (const { partition, writes } of readRecording(recording)) {
    const { events, brokerMs } = read[partition]!
    const from = taken[partition]!
    let to = from
    while (to < events.length && events[to]!.seq <= writes.meta.position!) to++
    if (to === from) continue // attaching, or time alone
    taken[partition] = to
    batches.push({ partition, batch: { events: events.slice(from, to), brokerMs: brokerMs.slice(from, to) } })
  }
  return batches
}

/** Without the client's message, which would keep everything that arrived together in memory. */
function detached({ seq, source, type, receivedAt, origin }: Event): Event {
  const copy = { subject: origin.subject, data: Buffer.from(origin.data) }
  return new Event(seq, source, type, receivedAt, copy, undefined, '', undefined, receivedAt)
}
