/** A link to one master: a server, or whichever server Sentinel names. */
import type { Redis } from 'ioredis'
import { answered, connected, reconnect, redisError } from './redis-connection.js'
import type { LinkOptions, RedisCommand, RedisLink } from './redis-link.js'
import { withScripts, type ScriptedRedis } from './redis-scripts.js'

export class SingleLink implements RedisLink {
  readonly #redis: ScriptedRedis
  #stopFollowing: (() => void) | undefined

  /** `follow` calls back when another server is master, until what it returns is called. */
  constructor(
    redis: Redis,
    private readonly options: LinkOptions,
    private readonly follow?: (switched: () => void) => () => void,
  ) {
    this.#redis = withScripts(redis, options.scripts)
  }

  get isReady(): boolean {
    return this.#redis.status === 'ready'
  }

  async connect(): Promise<void> {
    this.#stopFollowing ??= this.follow?.(() => reconnect(this.#redis))
    await connected(this.#redis, this.options.timeoutMs)
  }

  async run<T>(_key: string, doing: string, command: RedisCommand<T>): Promise<T> {
    try {
      return await answered(this.#redis, this.options.timeoutMs, command(this.#redis))
    } catch (error) {
      throw redisError(error, doing)
    }
  }

  async onEveryMaster<T>(doing: string, command: RedisCommand<T>): Promise<(readonly [string, T])[]> {
    return [['Redis', await this.run('', doing, command)]]
  }

  close(): void {
    this.#stopFollowing?.()
    this.#redis.disconnect()
  }
}
