/** The loop of `fold-loop.ts` over generated events, round after round, and the parsing of deliveries. No servers. */
import { loadConfig } from '../../engine/config/config.js'
import { Event } from '../../engine/event.js'
import { loadPipeline } from '../../engine/load-pipeline.js'
import { parseDelivery, type Delivery } from '../../engine/nats/delivery.js'
import { partitionOf } from '../../engine/nats/partitioning.js'
import { personalization } from '../workloads/personalization/workload.js'
import type { LoadOptions } from '../workloads/workload.js'
import { FoldLoop, startStages, type PartitionBatch } from './fold-loop.js'
import { Stopwatch } from './stopwatch.js'
import type { Prepare } from './task.js'

export interface MicroJob {
  readonly events: number
  readonly rounds: number
  readonly seed: number
  readonly users?: number | undefined
}

/** Microseconds per event of each part, one list entry a round. */
export type MicroResult = Readonly<Record<string, readonly number[]>>

/** Events of one partition in a batch; about what a backlog leads to. */
const batchEvents = 250
/** A producer that fills a backlog: milliseconds between two events. */
const stepMs = 0.02
const startMs = 1_700_000_000_000

export const prepareMicro: Prepare<MicroJob, MicroResult> = async ({ events, rounds, seed, users }) => {
  const { pipeline, folder } = await loadPipeline(personalization.pipelineFile)
  const config = loadConfig({ env: {}, cwd: folder })
  let stopwatch = new Stopwatch()
  const chain = await startStages(pipeline, folder, () => stopwatch)
  const { batches, replies } = makeBatches({ events, seed, users }, pipeline.partitions)
  const samples: Record<string, number[]> = {}
  return {
    run: async () => {
      // The first round is for the compiler of the virtual machine.
      for (let round = 0; round <= rounds; round++) {
        stopwatch = new Stopwatch()
        stopwatch.start()
        parseAll(replies)
        stopwatch.lap('parse delivery')
        await new FoldLoop(pipeline, config, chain, stopwatch).run(batches)
        if (round === 0) continue
        for (const [part, ms] of stopwatch.totals) (samples[part] ??= []).push((ms * 1000) / events)
      }
      return samples
    },
    close: () => chain.close(),
  }
}

function parseAll(replies: readonly Uint8Array[]): void {
  const delivery: Delivery = { streamSeq: 0, consumerSeq: 0, brokerMs: 0, pending: 0 }
  for (const reply of replies) {
    if (!parseDelivery(reply, delivery)) throw new Error(`not a delivery: ${Buffer.from(reply).toString()}`)
  }
}

function makeBatches(
  load: Omit<LoadOptions, 'clock'>,
  partitions: number,
): { batches: PartitionBatch[]; replies: Uint8Array[] } {
  const open = Array.from({ length: partitions }, () => ({ events: [] as Event[], brokerMs: [] as number[] }))
  const batches: PartitionBatch[] = []
  const replies: Uint8Array[] = []
  let seq = 0
  let brokerMs = startMs
  for (const { subject, payload } of personalization.messages({ ...load, clock: () => Math.floor(brokerMs) })) {
    const [, source = '', type = '', key = ''] = subject.split('.')
    const partition = partitionOf(key, partitions)
    const at = Math.floor((brokerMs += stepMs))
    const origin = { subject: `events.${partition}.${source}.${type}`, data: payload }
    const reply = `$JS.ACK.EVENTS.millrace-shop-${partition}-abcdefgh.1.${++seq}.${seq}.${at}000000.${load.events - seq}`
    replies.push(Buffer.from(reply))
    const { events, brokerMs: times } = open[partition]!
    events.push(new Event(seq, source, type, at, origin, undefined, '', undefined, at))
    times.push(brokerMs)
    if (events.length === batchEvents) batches.push({ partition, batch: takeOut(open, partition) })
  }
  for (const partition of open.keys()) batches.push({ partition, batch: takeOut(open, partition) })
  return { batches: batches.filter(({ batch }) => batch.events.length > 0), replies }
}

function takeOut<Batch extends { events: Event[]; brokerMs: number[] }>(open: Batch[], partition: number) {
  const { events, brokerMs } = open[partition]!
  open[partition]!.events = []
  open[partition]!.brokerMs = []
  return { events, brokerMs }
}
