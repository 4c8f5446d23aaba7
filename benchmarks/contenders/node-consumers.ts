/** Consumers written by hand for Node: what a team has before it looks for an engine. */
import { fileURLToPath } from 'node:url'
import { AckPolicy } from 'nats'
import { nodeFlags } from '../../engine/cli/node-flags.js'
import type { Settings } from '../peers/node/settings.js'
import { shopFolder } from '../workloads/personalization/workload.js'
import type { Contender } from './contender.js'
import { peersLack } from './peers-lack.js'
import { startPeer } from './peer-process.js'
import { readProfileTotals } from './profile-totals.js'
import { StreamConsumer } from './stream-consumer.js'

const atLeastOnce =
  'At least once: acknowledged after all effects; after a crash up to the pending events are applied again, counters twice.'

const program = (name: string) => fileURLToPath(new URL(`../peers/node/${name}.js`, import.meta.url))

interface Consumer extends Pick<Contender, 'name' | 'label' | 'guarantee' | 'lacks'> {
  readonly program: string
  /** Enough that the server never waits; what is pending is what may be applied twice. */
  readonly maxAckPending: number
  /** Explicit: a message for each event. All: one for everything up to it, for who finishes in order. */
  readonly ackPolicy: AckPolicy
}

function written({ program, maxAckPending, ackPolicy, ...about }: Consumer): Contender {
  return {
    ...about,
    start: async site => {
      const consumer = await StreamConsumer.create(site, about.name, { ackPolicy, maxAckPending })
      const { natsUrl, redisUrl, eventsStream: stream } = site
      const settings: Settings = { natsUrl, redisUrl, stream, consumer: consumer.name, shopFolder }
      const command = { command: process.execPath, arguments: [...nodeFlags, program, JSON.stringify(settings)] }
      return startPeer(site, { name: about.name, ...command }, consumer)
    },
    totals: readProfileTotals,
  }
}

/** Batches, pipelines, overlapping round trips. */
export const batchingConsumer = written({
  name: 'node',
  label: 'Node by hand, batching',
  guarantee: atLeastOnce,
  lacks: peersLack,
  program: program('batching'),
  maxAckPending: 8_000,
  ackPolicy: AckPolicy.All,
})

/** An await for everything. */
export const naiveConsumer = written({
  name: 'node_naive',
  label: 'Node by hand, an await per event',
  guarantee: atLeastOnce,
  lacks: peersLack,
  program: program('naive'),
  maxAckPending: 1_000,
  ackPolicy: AckPolicy.Explicit,
})
