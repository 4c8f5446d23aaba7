/** What all partitions of a process share. Made once by `engine.ts`. */
import type { Clock } from './clock.js'
import type { Limits } from './config/limits.js'
import type { Log } from './log.js'
import type { Metrics } from './metrics/metrics.js'
import type { ProfileModel } from './model.js'
import type { NatsConnection } from './nats/connection.js'
import type { Names } from './nats/names.js'
import type { Publisher } from './nats/publisher.js'
import type { Streams } from './nats/streams.js'
import type { Pipeline } from './pipeline.js'
import type { Without } from './protections.js'
import type { StageChain } from './stages.js'
import type { ProfileStore } from './store.js'

export interface EngineContext {
  readonly pipeline: Pipeline
  /** Name of this process among those that share the pipeline. */
  readonly replica: string
  /** Empty outside of tests. */
  readonly without: Without
  readonly model: ProfileModel
  /** At `generation`. */
  readonly store: ProfileStore
  readonly generation: number
  readonly chain: StageChain
  readonly connection: NatsConnection
  readonly streams: Streams
  readonly publisher: Publisher
  readonly names: Names
  readonly limits: Limits
  readonly metrics: Metrics
  readonly log: Log
  readonly clock: Clock
}
