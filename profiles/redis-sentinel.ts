/** The master that Sentinel names, and word of the next one. */
import { Redis, type RedisOptions } from 'ioredis'
import { loginOptions, reachedAt, splitAddress, tlsOptions, type RedisSettings } from './redis-settings.js'

/** A sentinel that has not answered after this is passed over for the next one. */
const answerWithinMs = 1_000
const retryMs = 1_000

/** Options of a connection that asks the sentinels for the master each time it connects. */
export function sentinelOptions(settings: RedisSettings): RedisOptions {
  const { sentinels = [], master, sentinelPassword } = settings
  const { tls } = tlsOptions(settings.tls)
  return {
    ...loginOptions(settings),
    sentinels: sentinels.map(splitAddress),
    name: master!,
    role: 'master',
    natMap: reachedAt(settings),
    sentinelCommandTimeout: answerWithinMs,
    sentinelRetryStrategy: attempt => Math.min(attempt * 50, retryMs),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
  }
}

/**
 * Calls `switched` whenever a sentinel announces another master, until stopped. Without it a master that was frozen, or cut off
 * from everybody but us, would be noticed only when a command's time is up. (The client can do this too, but writes to standard
 * error when a sentinel is away.)
 */
export function followFailovers(settings: RedisSettings, switched: () => void): () => void {
  const { sentinels = [], master, sentinelPassword } = settings
  const watches = sentinels.map(address => {
    const watch = new Redis({
      ...splitAddress(address),
      ...tlsOptions(settings.tls),
      ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
      connectionName: 'millrace-failovers',
      retryStrategy: () => retryMs,
    })
    watch.on('error', () => undefined) // it tries again, and the others announce the same
    watch.on('message', (_channel: string, message: string) => {
      if (message.startsWith(`${master} `)) switched()
    })
    watch.subscribe('+switch-master').catch(() => undefined) // closed before it was connected
    return watch
  })
  return () => {
    for (const watch of watches) watch.disconnect()
  }
}
