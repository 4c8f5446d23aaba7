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
 */
export class RedisKeys {
  constructor(private readonly pipeline: string) {}

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
    return `mr:${this.pipeline}:layouts`
  }

  members(): string {
    return `mr:${this.pipeline}:members`
  }

  #tag(partition: number): string {
    return `mr:{${this.pipeline}:${partition}}`
  }
}
