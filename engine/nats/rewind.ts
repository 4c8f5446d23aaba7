/**
 * Before 2.10, nats-server is quadratic for a filtered consumer that starts in the first half of the stream's last block: with
 * each delivery it counts the rest of the block anew (measured on 2.9.10, 50,000 events, 16 partitions: 1,300 events/s instead
 * of 88,000). So there a reader starts a block earlier and drops what it has had.
 */
import { isAtLeast, type NatsConnection } from './connection.js'
import type { Streams } from './streams.js'

/** Default size of a block in a stream's file. */
const blockBytes = 8 * 1024 * 1024

/** How many sequences before the wanted one a consumer should start. */
export async function rewindOf(connection: NatsConnection, streams: Streams, stream: string): Promise<number> {
  if (isAtLeast(connection.info?.version ?? '0', 2, 10)) return 0
  const { bytes, messages } = await streams.facts(stream)
  return messages === 0 ? 0 : Math.ceil((blockBytes * messages) / Math.max(bytes, 1))
}
