/** A way to the masters of Redis, whether there is one, one that Sentinel names, or the many of a cluster. */
import type { Scripts, ScriptedRedis } from './redis-scripts.js'

export interface RedisLink {
  /** Resolves when every master was reached; goes on trying when it rejects. May be called again. */
  connect(): Promise<void>
  /**
   * Runs a command where `key` is, whose slot all its keys share. A command is sent again only after a reply that says it was
   * not run. Rejects with a `MillraceError`, within twice the bound of the link.
   */
  run<T>(key: string, doing: string, command: RedisCommand<T>): Promise<T>
  /** Runs a command on every master; gives what each is called and what it answered. */
  onEveryMaster<T>(doing: string, command: RedisCommand<T>): Promise<(readonly [name: string, reply: T])[]>
  readonly isReady: boolean
  close(): void
}

/** Sends one command at once, in the same turn, and gives its reply. */
export type RedisCommand<T> = (redis: ScriptedRedis) => Promise<T>

export interface LinkOptions {
  /** What the connections are for, as the server lists them. */
  readonly name: string
  /** Bound of a reply. */
  readonly timeoutMs: number
  readonly scripts: Scripts
}
