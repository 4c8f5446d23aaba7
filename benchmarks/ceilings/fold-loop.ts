/**
 * The way of an event through the engine without NATS and without Redis: stages, profiles into memory, fold, encode, commit
 * into this process' memory. The steps are those of `engine/partition/session.ts`, each with a stopwatch that runs once a batch.
 */
import type { Config } from '../../engine/config/config.js'
import { limitsOf, type Limits } from '../../engine/config/limits.js'
import type { ProfileModel } from '../../engine/model.js'
import type { Batch } from '../../engine/nats/arrivals.js'
import { Names } from '../../engine/nats/names.js'
import { anchorOf } from '../../engine/nats/streams.js'
import { encodeEntry } from '../../engine/outbox/outbox-entry.js'
import type { Committer } from '../../engine/partition/committer.js'
import { EffectCollector } from '../../engine/partition/effects.js'
import { Folder, type PartitionMemory } from '../../engine/partition/fold.js'
import { RecentHashes } from '../../engine/partition/hash-memory.js'
import { ProfileCache } from '../../engine/partition/profile-cache.js'
import { loadProfiles } from '../../engine/partition/profile-loading.js'
import { StagedBatch } from '../../engine/partition/staged-batch.js'
import { TimerQueue } from '../../engine/partition/timers.js'
import type { Pipeline } from '../../engine/pipeline.js'
import { StageChain, type StageObserver } from '../../engine/stages.js'
import { MemoryStore } from '../../profiles/memory-store.js'
import { openCommitter } from './commit.js'
import type { Writes } from './recording.js'
import type { Stopwatch } from './stopwatch.js'

/** Events of one partition that are folded and committed together. */
export interface PartitionBatch {
  readonly partition: number
  readonly batch: Batch
}

interface Lane {
  readonly memory: PartitionMemory
  readonly hashes: readonly (RecentHashes | undefined)[]
  readonly folder: Folder
  readonly committer: Committer
  published: number
}

/** The stages of a pipeline, timed one by one. They keep nothing of their own between runs. */
export function startStages(pipeline: Pipeline, folder: string, stopwatch: () => Stopwatch): Promise<StageChain> {
  const observer: StageObserver = {
    stage: (name, _eventsIn, _eventsOut, durationMs) => stopwatch().add(name, durationMs),
    dropped: () => undefined,
    prepareFailed: (stage, error) => {
      throw new Error(`stage ${stage} cannot prepare`, { cause: error })
    },
  }
  return StageChain.start(pipeline.stages, { folder, notice: () => undefined }, observer)
}

export class FoldLoop {
  readonly #store = new MemoryStore()
  readonly #signal = new AbortController().signal
  readonly #model: ProfileModel
  readonly #limits: Limits
  readonly #lanes: Promise<readonly Lane[]>

  /** Starts with no state. */
  constructor(
    pipeline: Pipeline,
    config: Config,
    private readonly chain: StageChain,
    private readonly stopwatch: Stopwatch,
  ) {
    this.#model = pipeline.profile.model()
    this.#limits = limitsOf(config, pipeline.partitions)
    const partitions = Array.from({ length: pipeline.partitions }, (_, partition) => partition)
    this.#lanes = Promise.all(partitions.map(partition => this.#openLane(pipeline, config, partition)))
  }

  async run(batches: readonly PartitionBatch[]): Promise<void> {
    const lanes = await this.#lanes
    for (const { partition, batch } of batches) await this.#runBatch(lanes[partition]!, partition, batch)
  }

  async #runBatch(lane: Lane, partition: number, batch: Batch): Promise<void> {
    const { memory, hashes, folder, committer } = lane
    const { stopwatch } = this
    const context = { store: this.#store, model: this.#model, limits: this.#limits }
    const { survivors, rejected } = await this.chain.run(batch.events, hashes, this.#signal)
    const staged = new StagedBatch(batch, { survivors, rejected })
    while (!staged.isDone) {
      stopwatch.start()
      const upTo = Math.max(memory.now, staged.last.receivedAt)
      if (memory.timers.isShortOf(upTo)) await memory.timers.cover(upTo)
      await loadProfiles(context, partition, memory, staged.remaining(), upTo)
      stopwatch.lap('load profiles')
      const fold = folder.fold(staged)
      stopwatch.lap('fold')
      const profiles = []
      for (const state of fold.changed) {
        profiles.push({ key: state.key, bytes: this.#model.isEmpty(state) ? undefined : this.#model.encode(state) })
      }
      stopwatch.lap('encode profiles')
      const outbox = fold.entries.map(encodeEntry)
      stopwatch.lap('encode outbox')
      const { last, lastBrokerMs } = fold
      const { position, lastSeq, now, effects } = memory
      const anchor = last === undefined ? '' : anchorOf(last.seq, Math.floor(lastBrokerMs), last.origin.data)
      const writes: Writes = {
        meta: { position, lastSeq, now, ordinal: effects.ordinal, anchor },
        profiles,
        profileTtlMs: this.#model.ttlMs,
        timers: [...fold.rearmed].map(({ key, dueAt }) => ({ key, dueAt })),
        memory: hashes.flatMap(recent => recent?.drain(position, now) ?? []),
        outbox,
        trim: lane.published,
      }
      stopwatch.lap('other writes')
      await committer.commit(writes, this.#signal)
      lane.published = outbox.length
      memory.profiles.trim()
      stopwatch.lap('commit to memory')
    }
  }

  async #openLane(pipeline: Pipeline, config: Config, partition: number): Promise<Lane> {
    const limits = this.#limits
    const names = new Names(config.streams)
    const effects = new EffectCollector(names, {
      profile: this.#model.name,
      partition,
      incarnation: 'bench',
      sequenceOffset: 0,
      maxMessageBytes: 1_048_576,
    })
    const memory: PartitionMemory = {
      profiles: new ProfileCache(limits.cacheProfiles, limits.cacheBytes),
      timers: new TimerQueue((from, upTo, limit) => this.#store.timers(partition, from, upTo, limit)),
      effects,
      position: 0,
      lastSeq: 0,
      now: 0,
      poisoned: new Map(),
    }
    const rules = {
      model: this.#model,
      partition,
      partitions: pipeline.partitions,
      maxAheadMs: pipeline.maxAheadMs,
      maxProfiles: limits.batchEvents,
      maxBytes: limits.batchBytes,
    }
    return {
      memory,
      hashes: pipeline.stages.map(({ name, memory: kept }) =>
        kept ? new RecentHashes(name, kept.windowMs) : undefined,
      ),
      folder: new Folder(rules, memory),
      committer: await openCommitter(this.#store, partition),
      published: 0,
    }
  }
}
