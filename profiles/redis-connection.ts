/** Connections to Redis with settings that never run a command twice or keep it waiting unseen, and errors without data. */
import { readFileSync } from 'node:fs'
import { Redis, type RedisOptions } from 'ioredis'
import { MillraceError } from '../engine/index.js'

export interface RedisSettings {
  /** `redis://host:port/db`, `rediss://` for TLS, or the path of a unix socket. */
  readonly url: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Paths of PEM files. */
  readonly tls?:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined }
    | undefined
}

/**
 * A connection that fails fast: no queue while offline, no resend after a lost reply (a commit script would run twice), no
 * promise left unsettled. The caller retries.
 */
export function openRedis(settings: RedisSettings, name: string): Redis {
  const options: RedisOptions = {
    connectionName: `millrace-${name}`,
    lazyConnect: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    connectTimeout: 5_000,
    keepAlive: 5_000,
    retryStrategy: attempt => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000),
    // 1 reconnects without resending; 2 would send the failed command again.
    reconnectOnError: error => (error.message.startsWith('READONLY') ? 1 : false),
    ...(settings.username === undefined ? {} : { username: settings.username }),
    ...(settings.password === undefined ? {} : { password: settings.password }),
    ...tlsOptions(settings.tls),
  }
  const redis = settings.url.startsWith('/')
    ? new Redis({ ...options, path: settings.url })
    : new Redis(settings.url, options)
  // Without a listener a lost connection would end the process; commands in flight fail by themselves.
  redis.on('error', () => undefined)
  return redis
}

function tlsOptions(tls: RedisSettings['tls']): Pick<RedisOptions, 'tls'> {
  const files = Object.entries(tls ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined)
  if (files.length === 0) return {}
  return { tls: Object.fromEntries(files.map(([name, file]) => [name, readFileSync(file)])) }
}

/** `authentication_failed` when the credentials are refused, otherwise `redis_unavailable`. */
export function redisError(error: unknown, doing: string): MillraceError {
  if (error instanceof MillraceError) return error
  const text = error instanceof Error ? error.message : String(error)
  const isRefused = /^(WRONGPASS|NOAUTH|NOPERM)|invalid password|invalid username-password/i.test(text)
  // The client's error carries the command's arguments, which are profiles: only its text goes on.
  return new MillraceError(isRefused ? 'authentication_failed' : 'redis_unavailable', `${doing}: ${text}`)
}

/** Rejects after `ms` and cuts the connection, so that a reply that comes later cannot be taken for another command's. */
export async function withTimeout<T>(redis: Redis, ms: number, doing: string, command: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new MillraceError('redis_unavailable', `${doing}: no reply within ${ms} ms`))
      redis.disconnect(true)
    }, ms)
  })
  try {
    return await Promise.race([command, timeout])
  } catch (error) {
    throw redisError(error, doing)
  } finally {
    clearTimeout(timer)
    // The command's own rejection after a timeout has no other listener.
    command.catch(() => undefined)
  }
}
