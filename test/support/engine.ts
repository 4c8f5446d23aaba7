/** A whole engine inside the test's process, against real servers. */
import { systemClock, type Clock } from '../../engine/clock.js'
import { loadConfig } from '../../engine/config/config.js'
import { Engine, type ReplicaPartition } from '../../engine/engine.js'
import type { ErrorCode, ProfileStore } from '../../engine/index.js'
import type { Log, LogFields, LogLevel } from '../../engine/log.js'
import { Metrics } from '../../engine/metrics/metrics.js'
import type { Pipeline } from '../../engine/pipeline.js'
import { RedisStore } from '../../profiles/redis-store.js'
import { eventually } from './eventually.js'
import type { TestScope } from './servers.js'

export interface LogLine {
  readonly level: LogLevel
  readonly sentence: string
  readonly fields: LogFields
}

/** Keeps what is logged. */
export class RecordedLog implements Log {
  readonly lines: LogLine[] = []
  error = this.#at('error')
  warn = this.#at('warn')
  info = this.#at('info')
  debug = this.#at('debug')

  child(): Log {
    return this
  }

  #at(level: LogLevel) {
    return (fields: LogFields, sentence: string): void => void this.lines.push({ level, sentence, fields })
  }
}

export interface EngineSetup {
  readonly nats: string
  readonly redis: string
  readonly pipeline: Pipeline
  /** Settings by environment variable. */
  readonly settings?: Readonly<Record<string, string>>
  /** Instead of the one on Redis. */
  readonly store?: ProfileStore
  readonly clock?: Clock
}

export class RunningEngine {
  constructor(
    readonly engine: Engine,
    readonly store: ProfileStore,
    readonly metrics: Metrics,
    readonly log: RecordedLog,
  ) {}

  get partitions(): readonly ReplicaPartition[] {
    return this.engine.partitions
  }

  async running(): Promise<void> {
    await eventually('all partitions run', () => {
      if (this.partitions.every(({ state }) => state === 'running')) return true
      throw new Error(this.#summary())
    })
  }

  /** Every event up to `seq` is folded and committed, or known to be none of ours, and nothing waits to be published. */
  async idle(): Promise<void> {
    await eventually('the engine is idle', () => {
      if (this.partitions.every(({ state, isIdle }) => state === 'running' && isIdle)) return true
      throw new Error(this.#summary())
    })
  }

  /** Waits until these partitions are halted for this reason. */
  async halted(reason: ErrorCode, partitions: readonly number[]): Promise<void> {
    await eventually(`partitions ${partitions.join(', ')} are halted: ${reason}`, () => {
      const waiting = partitions.map(partition => this.partitions[partition]!)
      if (waiting.every(status => status.state === 'halted' && status.reason === reason)) return true
      throw new Error(this.#summary())
    })
  }

  /** Value of a series of the metrics page, such as `millrace_events_total`; labels are parts that its line must have. */
  async metric(name: string, ...labels: string[]): Promise<number> {
    const lines = (await this.metrics.render()).split('\n')
    const found = lines.filter(line => line.startsWith(`${name}{`) && labels.every(label => line.includes(label)))
    return found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  /** As SIGTERM does. */
  async stop(deadlineMs = 10_000): Promise<void> {
    await this.engine.stop(deadlineMs)
  }

  #summary(): string {
    return JSON.stringify(this.partitions)
  }
}

let started = 0

/** Resolves when the engine has started; its partitions attach by themselves. Stopped at the test's end. */
export async function startEngine(t: TestScope, setup: EngineSetup): Promise<RunningEngine> {
  const { nats, redis, pipeline, settings = {}, clock = systemClock } = setup
  const name = `replica-${++started}`
  const env = { MILLRACE_NATS_SERVERS: nats, MILLRACE_REDIS_URL: redis, MILLRACE_REPLICA_NAME: name, ...settings }
  const config = loadConfig({ env, cwd: import.meta.dirname })
  const store = (setup.store ?? new RedisStore(config.redis, pipeline.name)).at(config.generation)
  const metrics = new Metrics(pipeline.name, config.generation)
  const log = new RecordedLog()
  const starting = new AbortController()
  t.teardown(() => starting.abort())
  const options = { config, pipeline, folder: import.meta.dirname, store, metrics, log, clock }
  const engine = await Engine.start(options, starting.signal)
  let isStopped = false
  const stop = engine.stop.bind(engine)
  engine.stop = async deadlineMs => {
    if (isStopped) return
    isStopped = true
    await stop(deadlineMs)
  }
  t.teardown(() => engine.stop(1_000))
  return new RunningEngine(engine, store, metrics, log)
}
