/**
 * The runtime of one pipeline in one process. Start: connect, check, provision, start stages, attach partitions. Stop, in
 * three steps that read top to bottom: stop reading, finish, close.
 */
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from './clock.js'
import type { Config } from './config/config.js'
import { limitsOf } from './config/limits.js'
import type { EngineContext } from './context.js'
import { MillraceError } from './errors.js'
import { stateNameOf } from './generation.js'
import type { Log } from './log.js'
import type { Metrics } from './metrics/metrics.js'
import { isGone, type ProfileView } from './model.js'
import { connectNats, followConnection, natsError } from './nats/connection.js'
import { weakest, type Fence } from './nats/fence.js'
import { LeaseHints } from './nats/lease-hints.js'
import { lanes, Names } from './nats/names.js'
import { partitionOf } from './nats/partitioning.js'
import { provision } from './nats/provision.js'
import { Publisher } from './nats/publisher.js'
import { streamRisks } from './nats/stream-risks.js'
import { Streams } from './nats/streams.js'
import { requireCount } from './partition/partition-count.js'
import { Partition, type PartitionStatus } from './partition/partition.js'
import { learnLayouts } from './partition/profile-loading.js'
import type { Pipeline } from './pipeline.js'
import { withoutNothing, type Without } from './protections.js'
import { Leases } from './replicas/leases.js'
import { StageChain } from './stages.js'
import { seldom } from './seldom.js'
import type { ProfileStore } from './store.js'

export interface EngineOptions {
  readonly config: Config
  readonly pipeline: Pipeline
  /** Where relative paths in stage options start. */
  readonly folder: string
  /** Closed by the engine. */
  readonly store: ProfileStore
  readonly metrics: Metrics
  readonly log: Log
  readonly clock: Clock
  /** For tests only: protections that are switched off. */
  readonly without?: Without
}

/** A partition as this replica sees it. */
export interface ReplicaPartition extends PartitionStatus {
  /** Replica that owns it, as last seen; empty when nobody does or nobody knows yet. */
  readonly owner: string
}

const startRetryMs = 1_000
/** A server refuses each message for itself. */
const refusalEveryMs = 10_000

/** Giving one partition after the other away takes at most this long; then all that is left is given up at once. */
const handOverMs = 3_000

export class Engine {
  readonly #partitions: readonly Partition[]
  readonly #leases: Leases
  readonly #hints: LeaseHints
  readonly #ended: Promise<void>
  /** Rejects when the engine cannot go on: an error of the action `stop`. */
  readonly failure: Promise<never>
  #isNatsConnected: boolean

  private constructor(
    private readonly context: EngineContext,
    /** What every lane's stream checks about a publish, as of the start. */
    readonly publishFence: Fence,
    isNatsConnected: boolean,
  ) {
    this.#isNatsConnected = isNatsConnected
    const { pipeline, generation, connection, names, replica, store, limits, log, clock } = context
    this.#hints = new LeaseHints(connection, names.leaseHints(stateNameOf(pipeline.name, generation)), () =>
      this.#leases.lookSoon(),
    )
    const hint = (): void => this.#hints.send()
    const observer = { freed: hint, settled: () => this.#leases.lookSoon() }
    this.#partitions = Array.from(
      { length: pipeline.partitions },
      (_, number) => new Partition(context, number, observer),
    )
    this.#leases = new Leases({
      replica,
      ttlMs: limits.leaseMs,
      startedAt: clock.wallMs(),
      store,
      partitions: this.#partitions,
      log,
      hint,
      isCutOff: () => !this.#isNatsConnected,
    })
    this.failure = new Promise((_resolve, reject) => {
      this.#leases.run().catch(reject)
      // The client never gives up by itself; a process that could not get on must not look alive.
      void connection.closed().then(error => reject(natsError(error, 'the connection to NATS was closed')))
    })
    // Whoever runs the engine looks at it; a stop may come first.
    this.failure.catch(() => undefined)
    void followConnection(connection, {
      lost: () => {
        this.#isNatsConnected = false
        this.#leases.lookSoon()
        context.log.warn({}, 'connection to NATS lost')
      },
      back: () => {
        this.#isNatsConnected = true
        this.#leases.lookSoon()
        context.log.info({}, 'connection to NATS is back')
        for (const partition of this.#partitions) partition.session?.reconnected()
      },
      refused: seldom(refusalEveryMs, (operation: string, subject: string) =>
        log.warn({ operation, subject }, 'NATS does not allow this'),
      ),
    })
    this.#ended = Promise.all(this.#partitions.map(partition => partition.run())).then(() => undefined)
  }

  /** Waits for servers that are down. Throws what no waiting mends: errors of the action `stop`. */
  static async start(options: EngineOptions, signal: AbortSignal): Promise<Engine> {
    const { config, pipeline, folder, metrics, log, clock } = options
    const { generation } = config
    const store = options.store.at(generation)
    const names = new Names(config.streams)
    const connection = await untilReachable(log, signal, () => connectNats(config.nats, `millrace ${pipeline.name}`))
    let isNatsConnected = true
    void followConnection(connection, {
      lost: () => (isNatsConnected = false),
      back: () => (isNatsConnected = true),
    })
    try {
      const without = options.without ?? withoutNothing
      const isFenced = !without.has('publish_fence')
      const streams = await untilReachable(log, signal, () => Streams.open(connection, isFenced))
      for (const warning of await untilReachable(log, signal, () => store.verify())) log.warn({}, warning)
      const created = await untilReachable(log, signal, () =>
        provision(connection, names, {
          mode: config.provision,
          partitions: pipeline.partitions,
          replicas: config.replicas,
          keepMs: config.retention.keep,
          minKeepMs: config.retention.minimum,
        }),
      )
      if (created.length > 0) log.info({ streams: created }, 'streams created')
      const risks = await untilReachable(log, signal, () => streamRisks(connection, names, config.replicas))
      for (const risk of risks) log.warn({}, risk)
      const publishFence = await untilReachable(log, signal, () => weakestFence(streams, names))
      const model = pipeline.profile.model()
      await untilReachable(log, signal, () => learnLayouts(store, model))
      await untilReachable(log, signal, () => store.saveLayout(model.layout))
      await untilReachable(log, signal, () => requireCount(store, pipeline.partitions))
      metrics.definition(pipeline.hash)
      metrics.expect(
        pipeline.stages,
        model,
        lanes.map(lane => names.streams[lane]),
      )
      const chain = await StageChain.start(
        pipeline.stages,
        { folder, notice: noticeTo(log) },
        stageObserver(metrics, log),
      )
      const context: EngineContext = {
        pipeline,
        replica: config.replica.name ?? `${hostname()}-${process.pid}`,
        without,
        model,
        store,
        generation,
        chain,
        connection,
        streams,
        publisher: new Publisher(connection),
        names,
        limits: limitsOf(config, pipeline.partitions),
        metrics,
        log,
        clock,
      }
      const { replica } = context
      log.info(
        { pipeline: pipeline.name, generation, replica, definition: pipeline.hash, partitions: pipeline.partitions },
        'engine starts',
      )
      return new Engine(context, publishFence, isNatsConnected)
    } catch (error) {
      await connection.close()
      await store.close()
      throw error
    }
  }

  get isNatsConnected(): boolean {
    return this.#isNatsConnected
  }

  get isStoreReachable(): boolean {
    return this.context.store.isReachable()
  }

  get replica(): string {
    return this.context.replica
  }

  /** There is a connection to NATS, and every partition runs, here or at another replica. */
  get isReady(): boolean {
    if (!this.isNatsConnected) return false
    return this.partitions.every(({ state, owner }) => state === 'running' || (state === 'standby' && owner !== ''))
  }

  get partitions(): readonly ReplicaPartition[] {
    return this.#partitions.map(partition => ({
      ...partition.status,
      owner: partition.isClaimed ? this.replica : this.#leases.ownerOf(partition.number),
    }))
  }

  /** Brings what changes by itself into the metrics; before each scrape. */
  refreshGauges(): void {
    const { metrics } = this.context
    metrics.connections(this.isNatsConnected, this.isStoreReachable)
    for (const { partition, state, position, pending, outboxEntries } of this.partitions) {
      if (state === 'standby') continue
      const isRunning = state === 'running'
      metrics.partition(partition, {
        ...(isRunning || position > 0 ? { position } : {}),
        pending: isRunning && this.isNatsConnected ? pending : 'unknown',
        outboxEntries: isRunning ? outboxEntries : 'unknown',
      })
    }
  }

  /**
   * The profile as stored, `undefined` when there is none. When the store does not answer, the last one this process holds
   * with nothing uncommitted, marked stale. Throws `redis_unavailable` when there is not even that.
   */
  async profile(key: string): Promise<{ view: ProfileView; isStale: boolean } | undefined> {
    const { store, model, pipeline, clock } = this.context
    const partition = partitionOf(key, pipeline.partitions)
    const now = Math.floor(clock.wallMs())
    try {
      const [bytes] = await store.load(partition, [key])
      if (bytes === undefined) return undefined
      if (!model.knowsLayout(model.layoutOf(bytes))) await learnLayouts(store, model)
      const view = model.view(model.decode(key, bytes), now)
      return isGone(view) ? undefined : { view, isStale: false }
    } catch (error) {
      // What cannot be read will not be better for being old.
      if (error instanceof MillraceError && error.action !== 'retry') throw error
      const state = this.#partitions[partition]!.session?.lastGood.find(key)
      if (state === undefined) throw error
      const view = model.view(state, now)
      return isGone(view) ? undefined : { view, isStale: true }
    }
  }

  /** After `deadlineMs` what is left is given up; it is done after the next start. */
  async stop(deadlineMs: number): Promise<void> {
    const { publisher, chain, connection, store, log } = this.context
    log.info({ deadline_ms: deadlineMs }, 'engine stops')
    const deadline = setTimeout(() => {
      log.warn({ deadline_ms: deadlineMs }, 'stop took too long, giving up what is left')
      for (const partition of this.#partitions) partition.abort()
    }, deadlineMs)
    await this.#leases.handOver(handOverMs)
    await this.#leases.stop()
    // What is not published without NATS is not published by waiting; it is stored.
    if (!this.#isNatsConnected) for (const partition of this.#partitions) partition.abandon()
    for (const partition of this.#partitions) partition.stop()
    await this.#ended
    clearTimeout(deadline)

    publisher.close()
    this.#hints.close()
    await chain.close()
    await connection.close()
    await store.close()
    log.info({}, 'engine stopped')
  }
}

async function weakestFence(streams: Streams, names: Names): Promise<Fence> {
  const facts = await Promise.all(lanes.map(lane => streams.facts(names.streams[lane])))
  return weakest(facts.map(stream => streams.fence(stream)))
}

/** A server that is down at the start is waited for, as Kubernetes starts things in any order. */
async function untilReachable<T>(log: Log, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof MillraceError) || error.action !== 'retry') throw error
      if (tries % 10 === 0) log.warn({ error }, 'waiting for a server')
      await delay(startRetryMs, undefined, { signal })
    }
  }
}

function noticeTo(log: Log) {
  return (level: 'info' | 'warn', fields: Record<string, unknown>, sentence: string): void =>
    log[level](fields, sentence)
}

function stageObserver(metrics: Metrics, log: Log) {
  const stages = new Map<string, ReturnType<Metrics['stage']>>()
  return {
    stage(name: string, eventsIn: number, eventsOut: number, durationMs: number): void {
      let stage = stages.get(name)
      if (stage === undefined) stages.set(name, (stage = metrics.stage(name)))
      stage.record(eventsIn, eventsOut, durationMs)
    },
    dropped: (stage: string, reason: string, count: number) => metrics.dropped(stage, reason, count),
    prepareFailed: (stage: string, error: MillraceError) => log.warn({ stage, error }, 'batch is prepared again'),
  }
}
