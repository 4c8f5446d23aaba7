/**
 * Faults after which something is gone for good: each must halt every partition for the right reason, and a person who accepts
 * the loss must get a pipeline that goes on with what is left. They run alone, with nothing to process when they come.
 */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Directed } from '../run/directed.js'

export interface Loss {
  readonly name: string
  /** In words. */
  readonly what: string
  /** Codes of the halts that follow, the last one is the one that stays. */
  readonly reasons: readonly string[]
  /** Brings the loss about and waits for the halt. */
  readonly inject: (run: Directed) => Promise<void>
}

/** Enough for every partition, and for effects of every kind. */
const some = 2_000

export const losses: readonly Loss[] = [
  {
    name: 'nats_older_store',
    what: 'an older store of NATS is restored',
    reasons: ['stream_truncated'],
    inject: async run => {
      const copy = await copyStore(run)
      await run.publish(some)
      await run.still()
      await run.trimmed()
      await run.remember()
      await restoreStore(run, copy)
      await run.lost()
      await run.halted('stream_truncated')
    },
  },
  {
    name: 'nats_older_store_grown',
    what: 'an older store of NATS is restored and grows past its old end',
    reasons: ['anchor_mismatch'],
    inject: async run => {
      const copy = await copyStore(run)
      await run.publish(some)
      await run.still()
      await run.remember()
      await Promise.all(run.rig.replicas.map(replica => replica.stop()))
      await restoreStore(run, copy)
      await run.publish(2 * some)
      // What the stream holds instead of what was processed does not count.
      await run.lost(await run.positions())
      await run.rig.startReplicas()
      await run.halted('anchor_mismatch')
    },
  },
  {
    name: 'nats_purge',
    what: 'events are purged before they are processed',
    reasons: ['events_lost'],
    inject: async run => {
      await run.remember()
      await Promise.all(run.rig.replicas.map(replica => replica.stop()))
      await run.publish(some)
      const manager = await run.rig.connection.jetstreamManager({ checkAPI: false })
      await manager.streams.purge('EVENTS')
      await run.lost()
      await run.rig.startReplicas()
      await run.halted('events_lost')
    },
  },
  {
    name: 'nats_stream_recreated',
    what: 'the stream of events is deleted and made again',
    reasons: ['stream_missing', 'stream_recreated'],
    inject: async run => {
      await run.remember()
      const manager = await run.rig.connection.jetstreamManager({ checkAPI: false })
      const { config } = await manager.streams.info('EVENTS')
      await manager.streams.delete('EVENTS')
      await run.halted('stream_missing')
      await manager.streams.add(config)
      await run.lost()
      await run.halted('stream_recreated')
    },
  },
  {
    name: 'redis_flush',
    what: 'Redis is flushed',
    reasons: ['state_lost'],
    inject: async run => {
      await run.rig.client.flushall()
      await run.halted('state_lost')
    },
  },
]

/** Copies what NATS stores; the server is away meanwhile. */
async function copyStore({ rig }: Directed): Promise<string> {
  const copy = join(rig.folder, 'nats-copy')
  await rig.nats.stop()
  await cp(join(rig.nats.folder, 'jetstream'), copy, { recursive: true })
  await rig.nats.start()
  await rig.untilNatsAnswers()
  return copy
}

async function restoreStore({ rig }: Directed, copy: string): Promise<void> {
  await rig.nats.kill()
  await rm(join(rig.nats.folder, 'jetstream'), { recursive: true })
  await cp(copy, join(rig.nats.folder, 'jetstream'), { recursive: true })
  await rig.nats.start()
  await rig.untilNatsAnswers()
}
