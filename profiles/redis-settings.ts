/** Where Redis is and how to log in: one server, a master that Sentinel names, or a cluster. */
import type { RedisOptions } from 'ioredis'
import { readSetFile } from '../engine/index.js'

/** At most one of `url`, `sentinels` and `cluster` is given. */
export interface RedisSettings {
  /** `redis://host:port/db`, `rediss://` for TLS, or the path of a unix socket. */
  readonly url?: string | undefined
  /** `host:port` each; they name the server that is master now. */
  readonly sentinels?: readonly string[] | undefined
  /** Name under which the sentinels watch the master. */
  readonly master?: string | undefined
  /** Password of the sentinels themselves. */
  readonly sentinelPassword?: string | undefined
  /** `host:port` of some nodes of a cluster; they name the others. */
  readonly cluster?: readonly string[] | undefined
  /** `announced=reached`, `host:port` each: where servers are that sentinels or nodes announce somewhere else. */
  readonly addressMap?: readonly string[] | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Paths of PEM files. Without a url, TLS is used when one of them is given. */
  readonly tls?:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined }
    | undefined
}

/** Where Redis is when nothing is said. */
export const defaultRedisUrl = 'redis://127.0.0.1:6379'

/** User, password and TLS, as the client wants them. */
export function loginOptions({ username, password, tls }: RedisSettings): RedisOptions {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...tlsOptions(tls),
  }
}

/** TLS as the client wants it; nothing without a file. */
export function tlsOptions(tls: RedisSettings['tls']): Pick<RedisOptions, 'tls'> {
  const files = Object.entries(tls ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined)
  if (files.length === 0) return {}
  return { tls: Object.fromEntries(files.map(([name, file]) => [name, readSetFile(`redis.tls.${name}`, file)])) }
}

/** Where a server is reached that is announced as `host:port`. */
export function reachedAt({ addressMap = [] }: RedisSettings): (announced: string) => Address {
  const reached = new Map(
    addressMap.map(pair => {
      const [announced = '', at = ''] = pair.split('=')
      return [keyOf(splitAddress(announced)), splitAddress(at)] as const
    }),
  )
  return announced => {
    const address = splitAddress(announced)
    return reached.get(keyOf(address)) ?? address
  }
}

/** An IPv6 address may come with or without brackets. */
function keyOf({ host, port }: Address): string {
  return `${host} ${port}`
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** Host and port of `host:port` or `[v6 address]:port`. */
export function splitAddress(address: string): Address {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(colon + 1)) }
}
