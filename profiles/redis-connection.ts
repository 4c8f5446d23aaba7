/** Connections to Redis with settings that never run a command twice or keep it waiting unseen, and errors without data. */
import { Redis, type RedisOptions } from 'ioredis'
import { MillraceError } from '../engine/index.js'

/** A peer that accepts a connection and then says nothing is given up after this, as one that does not accept it. */
const connectTimeoutMs = 5_000

/**
 * A connection that fails fast: no queue while offline, no resend after a lost reply (a commit script would run twice), no
 * promise left unsettled. It connects when told to, and from then on again and again. The caller retries commands.
 */
export function openConnection(place: RedisOptions, name: string, url?: string): Redis {
  const options: RedisOptions = {
    ...place,
    connectionName: `millrace-${name}`,
    lazyConnect: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    connectTimeout: connectTimeoutMs,
    // A silent peer does not close its end either: not to wait for that keeps a cut short.
    disconnectTimeout: 100,
    keepAlive: 5_000,
    // Twice a second is little for a server, and a failover is over sooner than a longer pause.
    retryStrategy: attempt => Math.min(50 * 2 ** attempt, 500),
    // 1 reconnects without resending; 2 would send the failed command again.
    reconnectOnError: error => (error.message.startsWith('READONLY') ? 1 : false),
  }
  const redis = url === undefined ? new Redis(options) : new Redis(url, options)
  // Without a listener a lost connection would end the process; commands in flight fail by themselves.
  redis.on('error', () => undefined)
  boundGreeting(redis)
  return redis
}

/** Cuts a connection that stands; it connects again. One that is being made stays: the client would give it up for good. */
export function reconnect(redis: Redis): void {
  if (redis.status === 'ready' || redis.status === 'connect') redis.disconnect(true)
}

/** The client bounds how long a connection takes to open, not how long the server then takes to greet. */
function boundGreeting(redis: Redis): void {
  let timer: NodeJS.Timeout | undefined
  redis.on('connect', () => {
    timer = setTimeout(() => reconnect(redis), connectTimeoutMs)
  })
  for (const event of ['ready', 'close']) redis.on(event, () => clearTimeout(timer))
}

/** Resolves when the connection can be used; it goes on trying when this rejects. */
export async function connected(redis: Redis, ms: number): Promise<void> {
  if (redis.status === 'ready') return
  // The client reports a refused login only as an event; the promise of connect() tells of a closed connection.
  let reported: unknown
  const remember = (error: unknown): void => {
    reported = error
  }
  redis.on('error', remember)
  try {
    await bounded(ms, redis.status === 'wait' ? redis.connect() : nextReady(redis))
  } catch (error) {
    throw redisError(reported ?? error, 'cannot connect to Redis')
  } finally {
    redis.off('error', remember)
  }
}

function nextReady(redis: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void) => () => {
      redis.off('ready', onReady)
      redis.off('close', onClose)
      done()
    }
    const onReady = settle(resolve)
    const onClose = settle(() => reject(new Error('connection is closed')))
    redis.once('ready', onReady)
    redis.once('close', onClose)
  })
}

/** `authentication_failed` when the credentials are refused, otherwise `redis_unavailable`. */
export function redisError(error: unknown, doing: string): MillraceError {
  if (error instanceof MillraceError) return error
  const text = textOf(error)
  const isRefused = /^(WRONGPASS|NOAUTH|NOPERM)|invalid password|invalid username-password/i.test(text)
  // The client's error carries the command's arguments, which are profiles: only its text goes on.
  return new MillraceError(isRefused ? 'authentication_failed' : 'redis_unavailable', `${doing}: ${text}`)
}

/** Text of anything thrown by the client. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Rejects after `ms` and cuts the connection, so that a reply that comes later cannot be taken for another command's. */
export function answered<T>(redis: Redis, ms: number, command: Promise<T>): Promise<T> {
  return bounded(ms, command, () => reconnect(redis))
}

function bounded<T>(ms: number, promise: Promise<T>, onTimeout?: () => void): Promise<T> {
  if (ms === Infinity) return promise
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no reply within ${ms} ms`))
      onTimeout?.()
    }, ms)
    promise.then(
      value => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error as Error)
      },
    )
  })
}
