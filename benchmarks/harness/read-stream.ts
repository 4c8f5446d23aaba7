/** Reads a known number of messages with the engine's own reader. */
import type { Limits } from '../../engine/config/limits.js'
import type { Batch } from '../../engine/nats/arrivals.js'
import type { NatsConnection } from '../../engine/nats/connection.js'
import { Reader } from '../../engine/nats/reader.js'
import type { Streams } from '../../engine/nats/streams.js'
import { Wakeup } from '../../engine/wakeup.js'

export interface StreamPart {
  readonly stream: string
  readonly filter: string
  /** Stream sequence after which to begin; default 0. */
  readonly after?: number
  /** Messages to wait for. */
  readonly count: number
  readonly limits: Limits
}

/** Hands on whatever has arrived, until `count` messages have. Rejects when the stream has lost some before they were read. */
export async function readStream(
  connection: NatsConnection,
  streams: Streams,
  { stream, filter, after = 0, count, limits }: StreamPart,
  take: (batch: Batch) => void,
): Promise<void> {
  const wakeup = new Wakeup()
  let received = 0
  const options = {
    stream,
    filter,
    name: 'millrace-bench',
    maxEvents: limits.readAheadEvents,
    // As in `engine/partition/session.ts`: a request must have room for the largest message.
    maxBytes: Math.max(limits.batchBytes, (connection.info?.max_payload ?? 0) + 65_536),
    sequenceOffset: 0,
    notBefore: 0,
    anchor: '',
    lastStored: () => Promise.resolve(0),
    verify: async (lastSeq: number, _anchor: string, notBefore: number) => {
      const { firstSeq } = await streams.facts(stream, notBefore)
      if (firstSeq > lastSeq + 1) throw new Error(`${stream} begins at ${firstSeq}, it was read up to ${lastSeq}`)
    },
    wake: () => wakeup.wake(),
    onRestart: () => {}, // it goes on where it was
  }
  const reader = new Reader(connection, streams.manager, options, after)
  try {
    while (received < count) {
      const batch = reader.take(limits.batchEvents, limits.batchBytes)
      received += batch.events.length
      if (batch.events.length > 0) take(batch)
      else await wakeup.wait(1_000)
      if (reader.failure !== undefined) throw reader.failure
    }
  } finally {
    await reader.close()
  }
}
