/**
 * Before a partition is taken up: everything there is to know about it is read at once, because it stands still meanwhile, and
 * from that follows what has to be written. Nothing is written here that depends on the owner.
 */
import type { EngineContext } from '../context.js'
import { readBefore, stateNameOf, type Before } from '../generation.js'
import { MillraceError } from '../errors.js'
import { decodeEntries, type OutboxEntry } from '../outbox/outbox-entry.js'
import type { MetaUpdate, PartitionMeta } from '../store.js'
import { attach, type AttachContext, type AttachPlan } from './attach.js'
import { Floors } from './floors.js'
import { succeed, type Succession } from './forerunner.js'
import { RecentHashes } from './hash-memory.js'

/** The position is settled: neither a first attach nor an accepted loss will move it. */
export function staysInPlace({ streamCreated, accepted }: PartitionMeta): boolean {
  return streamCreated !== '' && accepted === ''
}

/** What was found about a partition, and what follows from it. */
export interface Findings {
  readonly floors: Floors
  /** One entry a stage, `undefined` for stages without memory. */
  readonly hashes: readonly (RecentHashes | undefined)[]
  /** The stored outbox, and behind it what is taken over from the generation before. */
  readonly unpublished: readonly OutboxEntry[]
  readonly scope: AttachContext
  readonly plan: AttachPlan
  /** What a partition that is being built has to do with the one before; `undefined` for one in force. */
  readonly succession: Succession | undefined
}

/** Reads all there is to know under the new token, at once, and decides. Throws the halt that stands in the way. */
export async function examine(context: EngineContext, partition: number, found: PartitionMeta): Promise<Findings> {
  const { store, streams, names, pipeline, model, generation, clock, without } = context
  const { name, hash: definition, partitions } = pipeline
  const before = await readBefore(store, name, generation, partition)
  const scope = {
    streams,
    names,
    state: stateNameOf(name, generation),
    before,
    partition,
    partitions,
    definition,
    without,
  }
  // After that, because whoever was sealed may have published until then.
  const reading = Floors.read({ ...scope, pipeline: name, clock })
  const [, floors, plan, hashes, outbox] = await Promise.all([
    // The first of what is read: what follows goes to the same server or to one that took its place.
    requireOwner(context, partition, found),
    reading,
    attach(
      scope,
      found,
      reading.then(({ highestSeq }) => highestSeq),
    ),
    loadHashes(context, partition, found.now),
    store.outbox(partition),
    // A Redis that was brought back, or another shard of it, may not know of the layout any more.
    store.saveLayout(model.layout),
  ])
  const succession = await successionOf(context, partition, found, plan.update, before)
  const unpublished = [
    ...decodeEntries(outbox, 'the outbox'),
    ...decodeEntries(succession?.outbox ?? [], 'the outbox of the generation before'),
  ]
  return { floors, hashes, unpublished, scope, plan, succession }
}

/** A master that was replaced may answer once more when it wakes: with what was lost, or without what came since. */
async function requireOwner(
  { store, without }: EngineContext,
  partition: number,
  { token }: PartitionMeta,
): Promise<void> {
  if (without.has('token') || (await store.tokenRead(partition)) === token) return
  throw new MillraceError(
    'redis_unavailable',
    `partition ${partition} is read from a server that does not know its owner`,
  )
}

async function successionOf(
  { store, generation, log }: EngineContext,
  partition: number,
  found: PartitionMeta,
  update: MetaUpdate,
  before: Before | undefined,
): Promise<Succession | undefined> {
  const meta = { ...found, ...update }
  if (meta.phase !== 'building') return undefined
  const hasChanged = found.phase === 'building' && update.definition !== undefined
  const succession = await succeed(store, generation, meta, { partition, before, hasChanged })
  const { position } = meta
  if (succession.forerunner === undefined) log.info({ partition, generation, position }, 'generation is in force')
  else if (found.phase !== 'building') log.info({ partition, generation, position }, 'generation is being built')
  return succession
}

function loadHashes({ store, pipeline }: EngineContext, partition: number, now: number): Promise<Findings['hashes']> {
  return Promise.all(
    pipeline.stages.map(async ({ name, memory }) => {
      if (memory === undefined) return undefined
      const hashes = new RecentHashes(name, memory.windowMs)
      const { from, to } = hashes.bucketsAt(now)
      hashes.restore(await store.memory(partition, name, from, to))
      return hashes
    }),
  )
}
