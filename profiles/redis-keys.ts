import { generationSuffix } from '../engine/index.js'

/**
 * Every Redis key in one place. All keys of a partition share a hash tag, so that its commit works on Redis Cluster.
 * ```
 * mr:{<pipeline>:<p>}:meta        hash        where the partition stands, who owns it
 * mr:{<pipeline>:<p>}:p:<key>     string      profile, MessagePack
 * mr:{<pipeline>:<p>}:d:<stage>:<bucket>  string  hash memory, 8 bytes an event
 * mr:{<pipeline>:<p>}:t           sorted set  timers: key by due time
 * mr:{<pipeline>:<p>}:o           list        outbox
 * mr:<pipeline>:layouts           hash        layout id to JSON
 * mr:<pipeline>:members           hash        replica to its last sign of life
 * ```
 * Generation 2 has `mr:{<pipeline>:<p>}~2:meta`, `mr:<pipeline>~2:layouts` and so on: beside the first in the same slot, so that
 * a failover brings both back to the same moment.
 */
export class RedisKeys {
  readonly #suffix: string

  constructor(
    private readonly pipeline: string,
    generation = 1,
  ) {
    this.#suffix = generationSuffix(generation)
  }

  meta(partition: number): string {
    return `${this.#tag(partition)}:meta`
  }

  profile(partition: number, key: string): string {
    return `${this.#tag(partition)}:p:${key}`
  }

  memory(partition: number, stage: string, bucket: number): string {
    return `${this.#tag(partition)}:d:${stage}:${bucket}`
  }

  timers(partition: number): string {
    return `${this.#tag(partition)}:t`
  }

  outbox(partition: number): string {
    return `${this.#tag(partition)}:o`
  }

  layouts(): string {
    return `mr:${this.pipeline}${this.#suffix}:layouts`
  }

  members(): string {
    return `mr:${this.pipeline}${this.#suffix}:members`
  }

  /** Matches every key of a partition, and perhaps those of others: `partitionHolding` decides. */
  get pattern(): string {
    return `mr:{${this.pipeline}:*}${this.#suffix}:*`
  }

  /** Which partition of this generation holds the key; `undefined` for a meta and for what is not this generation's. */
  partitionHolding(key: string): number | undefined {
    const [tag, partition] = /^mr:\{[^:{}]+:(\d+)\}(?:~\d+)?:/.exec(key) ?? []
    if (partition === undefined || tag !== `${this.#tag(Number(partition))}:`) return undefined
    return key === this.meta(Number(partition)) ? undefined : Number(partition)
  }

  #tag(partition: number): string {
    return `mr:{${this.pipeline}:${partition}}${this.#suffix}`
  }
}
