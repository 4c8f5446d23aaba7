/** How much of a stream is still to be read, for people. Not for the data path, where deliveries carry the number. */
import { AckPolicy, DeliverPolicy } from 'nats'
import { isNotFound, natsError } from './connection.js'
import type { Streams } from './streams.js'

/** The server forgets a consumer that nobody deletes. */
const inactiveNanos = 5e9

/**
 * Stored messages that match the filter and lie behind `seq`. Exact: the server counts when a consumer is made, which takes it
 * about ten milliseconds; the consumer reads nothing and is deleted again.
 */
export async function pendingAfter(streams: Streams, stream: string, filter: string, seq: number): Promise<number> {
  const { lastSeq } = await streams.facts(stream)
  // Older servers take a start behind the end for the end.
  if (seq >= lastSeq) return 0
  const { consumers } = streams.manager
  try {
    const { name, num_pending } = await consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: seq + 1,
      filter_subject: filter,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: inactiveNanos,
    })
    await consumers.delete(stream, name).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
    return num_pending
  } catch (error) {
    throw natsError(error, `cannot count what is left of stream "${stream}"`)
  }
}
