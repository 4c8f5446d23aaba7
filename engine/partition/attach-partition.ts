/** Takes ownership of a partition, and makes of what was found there what a session starts from. */
import { randomUUID } from 'node:crypto'
import type { EngineContext } from '../context.js'
import { MillraceError } from '../errors.js'
import type { OutboxEntry } from '../outbox/outbox-entry.js'
import type { PartitionMeta } from '../store.js'
import { recordState } from './attach.js'
import { Committer, noWrites } from './committer.js'
import { EffectCollector } from './effects.js'
import { examine, staysInPlace, type Findings } from './examine-partition.js'
import { incarnationOf, type Floors } from './floors.js'
import type { PartitionMemory } from './fold.js'
import type { Forerunner } from './forerunner.js'
import type { RecentHashes } from './hash-memory.js'
import { ProfileCache } from './profile-cache.js'
import { sessionObserver } from './session-metrics.js'
import { readAhead, type ReadAhead } from './session-reader.js'
import { TimerQueue } from './timers.js'
import type { Caution } from './trial.js'

/** What a claim is made with. It is sent again as it is until there is an answer. */
export interface PartitionClaim {
  /** Token that was seen; empty when nobody owned the partition. */
  readonly expected: string
  readonly id: string
}

/** What outlives an attachment that fails. */
export interface Attempt {
  readonly partition: number
  /** Positions of events whose fold threw, with what was thrown. */
  readonly poisoned: Map<number, string>
  readonly caution: Caution
  /** Told of each commit. */
  readonly onCommit: () => void
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
  /** What is stored and perhaps not published. */
  readonly unpublished: readonly OutboxEntry[]
  readonly caution: Caution
  /** The generation to follow, while this one is being built. */
  readonly forerunner: Forerunner | undefined
  /** The reader, if it could be told where to start before everything else was known. */
  readonly ahead: ReadAhead | undefined
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

/**
 * `found` is what the owner acquired. The stream is read already while everything is checked; nothing of it is taken before.
 * Throws halts, `fenced`, and what is to be retried.
 */
export async function attachPartition(
  context: EngineContext,
  found: PartitionMeta,
  { partition, poisoned, caution, onCommit }: Attempt,
  signal: AbortSignal,
): Promise<Attached> {
  const observer = sessionObserver(context, partition)
  const committer = new Committer(context.store, partition, found.token, found, {
    ...observer,
    committed: durationMs => {
      observer.committed(durationMs)
      onCommit()
    },
  })
  const ahead = staysInPlace(found) ? readAhead(context, partition, found) : undefined
  try {
    const findings = await examine(context, partition, found)
    const meta = await takeUp(context, found, findings, { partition, committer, caution }, signal)
    const { hashes, floors, unpublished, succession } = findings
    for (const seq of poisoned.keys()) if (seq <= meta.position) poisoned.delete(seq)
    const memory = memoryOf(context, partition, meta, poisoned)
    const forerunner = succession?.forerunner
    return { partition, meta, committer, memory, hashes, floors, unpublished, caution, forerunner, ahead }
  } catch (error) {
    await ahead?.reader.close()
    throw error
  }
}

/** Writes what follows from the findings, in Redis and then on NATS' record. Gives the meta that a session starts from. */
async function takeUp(
  { pipeline, limits, log }: EngineContext,
  found: PartitionMeta,
  { plan, succession, scope }: Findings,
  { partition, committer, caution }: Pick<Attached, 'partition' | 'committer' | 'caution'>,
  signal: AbortSignal,
): Promise<PartitionMeta> {
  const checked = { ...plan.update, ...succession?.update }
  // What another definition died of says nothing about this one.
  const trial = found.definition === pipeline.hash ? caution.foreign(found.trial) : ''
  const update = trial === found.trial ? checked : { ...checked, trial }
  const meta = { ...found, ...update }
  const outbox = succession?.outbox ?? []
  if (Object.keys(update).length > 0) await committer.commit({ ...noWrites, meta: update, outbox }, signal)
  await recordState(scope, meta, plan.record)
  caution.attach(meta, limits.batchEvents)
  if (caution.backOffMs > 0) {
    const isSetAside = caution.isDeadly(meta.position)
    log.warn({ partition, trial: meta.trial, is_set_aside: isSetAside }, 'owner before died of what it was processing')
  }
  return meta
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
    timers: new TimerQueue((from, upTo, limit) => store.timers(partition, from, upTo, limit)),
    effects,
    position: meta.position,
    lastSeq: meta.lastSeq,
    now: meta.now,
    poisoned,
  }
}
