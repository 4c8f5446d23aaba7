/**
 * How fast can this process receive the events, when it does nothing with them?
 *
 * Load: all partitions' readers of `engine/nats/reader.ts` on one connection, with the engine's bounds; batches are thrown
 * away. Not in it: decoding, and the position's way back into Redis.
 */
import { loadConfig } from '../../engine/config/config.js'
import { limitsOf } from '../../engine/config/limits.js'
import { connectNats } from '../../engine/nats/connection.js'
import { Names } from '../../engine/nats/names.js'
import { Streams } from '../../engine/nats/streams.js'
import { readStream } from '../harness/read-stream.js'
import type { Prepare } from './task.js'

export const prepareReader: Prepare = async ({ configFile, counts }) => {
  const config = loadConfig({ file: configFile, env: {} })
  const names = new Names(config.streams)
  const limits = limitsOf(config, counts.length)
  const connection = await connectNats(config.nats, 'millrace bench')
  const streams = await Streams.open(connection)
  return {
    run: async () => {
      const parts = counts.map((count, partition) => ({
        stream: names.streams.events,
        filter: names.eventFilter(partition),
        count,
        limits,
      }))
      await Promise.all(parts.map(part => readStream(connection, streams, part, () => undefined)))
    },
    close: () => connection.close(),
  }
}
