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

/** Hands on whatever has arrived, until `count` messages have. Rejects when the reader had to start again on the way. */
export async function readStream(
  connection: NatsConnection,
  { manager }: Streams,
  { stream, filter, after = 0, count, limits }: StreamPart,
  take: (batch: Batch) => void,
): Promise<void> {
  const wakeup = new Wakeup()
  let received = 0
  let restarted: string | undefined
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
    verify: () => Promise.resolve(),
    wake: () => wakeup.wake(),
    onRestart: (why: string) => {
      // A server that is busy may need a second request before there is anything to read.
      if (received > 0) restarted = why
    },
  }
  const reader = new Reader(connection, manager, options, after)
  try {
    while (received < count) {
      const batch = reader.take(limits.batchEvents, limits.batchBytes)
      received += batch.events.length
      if (batch.events.length > 0) take(batch)
      else await wakeup.wait(1_000)
      if (reader.failure !== undefined) throw reader.failure
      if (restarted !== undefined) throw new Error(`the reader of ${filter} started again: ${restarted}`)
    }
  } finally {
    await reader.close()
  }
}
