/** Takes ownership of a partition, checks everything, and loads what a session starts from. */
import { randomUUID } from 'node:crypto'
import { attach, recordState } from './attach.js'
import { Committer, noWrites } from './committer.js'
import type { EngineContext } from './context.js'
import { EffectCollector } from './effects.js'
import { MillraceError } from './errors.js'
import { succeed, type Forerunner, type Succession } from './forerunner.js'
import { readBefore, stateNameOf, type Before } from './generation.js'
import { Floors, incarnationOf } from './floors.js'
import type { PartitionMemory } from './fold.js'
import { RecentHashes } from './hash-memory.js'
import { ProfileCache } from './profile-cache.js'
import { sessionObserver } from './session-metrics.js'
import type { MetaUpdate, PartitionMeta } from './store.js'
import { TimerQueue } from './timers.js'
import type { Caution } from './trial.js'

/** What a claim is made with. It is sent again as it is until there is an answer. */
export interface PartitionClaim {
  /** Token that was seen; empty when nobody owned the partition. */
  readonly expected: string
  readonly id: string
}

export interface Attached {
  readonly partition: number
  /** As it stands after the checks. */
  readonly meta: PartitionMeta
  readonly committer: Committer
  readonly memory: PartitionMemory
  /** One entry a stage, `undefined` for stages without memory. */
  readonly hashes: readonly (RecentHashes | undefined)[]
  readonly floors: Floors
  /** The stored outbox. */
  readonly unpublished: readonly Buffer[]
  readonly caution: Caution
  /** The generation to follow, while this one is being built. */
  readonly forerunner: Forerunner | undefined
}

/** Makes this replica the owner. Throws `fenced` when somebody else is by now. */
export async function acquirePartition(
  { store, replica }: EngineContext,
  partition: number,
  { expected, id }: PartitionClaim,
): Promise<PartitionMeta> {
  const meta = await store.acquire(partition, { replica, id, stateId: randomUUID(), expected })
  if (meta === undefined) throw new MillraceError('fenced', `partition ${partition} was taken by another replica`)
  return meta
}

/** `found` is what the owner acquired. Throws halts, `fenced`, and what is to be retried. */
export async function attachPartition(
  context: EngineContext,
  partition: number,
  found: PartitionMeta,
  poisoned: Map<number, string>,
  caution: Caution,
  signal: AbortSignal,
): Promise<Attached> {
  const { store, streams, names, pipeline, model, generation, limits, log, clock, without } = context
  const { name, hash: definition } = pipeline
  const before = await readBefore(store, name, generation, partition)
  const scope = { streams, names, state: stateNameOf(name, generation), before, partition, definition, without }
  // After that, because whoever was sealed may have published until then.
  const [floors, hashes] = await Promise.all([
    Floors.read({ ...scope, pipeline: name, clock }),
    loadHashes(context, partition, found.now),
    // A Redis that was brought back, or another shard of it, may not know of the layout any more.
    store.saveLayout(model.layout),
  ])
  const plan = await attach(scope, found, floors.highestSeq)
  const succession = await successionOf(context, partition, found, plan.update, before)
  const { outbox = [], forerunner } = succession ?? {}
  const checked = { ...plan.update, ...succession?.update }
  // What another definition died of says nothing about this one.
  const trial = found.definition === pipeline.hash ? caution.foreign(found.trial) : ''
  const update = trial === found.trial ? checked : { ...checked, trial }
  const meta = { ...found, ...update }
  const committer = new Committer(store, partition, found.token, found, sessionObserver(context, partition))
  if (Object.keys(update).length > 0) await committer.commit({ ...noWrites, meta: update, outbox }, signal)
  const [unpublished] = await Promise.all([store.outbox(partition), recordState(scope, meta, plan.record)])
  caution.attach(meta, limits.batchEvents)
  if (caution.backOffMs > 0) {
    const isSetAside = caution.isDeadly(meta.position)
    log.warn({ partition, trial: meta.trial, is_set_aside: isSetAside }, 'owner before died of what it was processing')
  }
  for (const seq of poisoned.keys()) if (seq <= meta.position) poisoned.delete(seq)
  const memory = memoryOf(context, partition, meta, poisoned)
  return { partition, meta, committer, memory, hashes, floors, unpublished, caution, forerunner }
}

/** What a partition that is being built has to do with the one before; `undefined` for one in force. */
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

function memoryOf(
  { store, names, pipeline, limits, model, connection }: EngineContext,
  partition: number,
  meta: PartitionMeta,
  poisoned: Map<number, string>,
): PartitionMemory {
  const effects = new EffectCollector(names, {
    profile: model.name,
    partition,
    incarnation: incarnationOf(pipeline.name, meta.stateId),
    sequenceOffset: meta.sequenceOffset,
    maxMessageBytes: connection.info?.max_payload ?? 1_048_576,
  })
  effects.seq = meta.lastSeq
  effects.ordinal = meta.ordinal
  return {
    profiles: new ProfileCache(limits.cacheProfiles, limits.cacheBytes),
    timers: new TimerQueue((after, upTo, limit) => store.timers(partition, after, upTo, limit)),
    effects,
    position: meta.position,
    lastSeq: meta.lastSeq,
    now: meta.now,
    poisoned,
  }
}

function loadHashes({ store, pipeline }: EngineContext, partition: number, now: number): Promise<Attached['hashes']> {
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
