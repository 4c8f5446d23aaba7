/** Opens the link that the settings ask for. */
import { ClusterLink } from './redis-cluster.js'
import { openConnection } from './redis-connection.js'
import type { LinkOptions, RedisLink } from './redis-link.js'
import { followFailovers, sentinelOptions } from './redis-sentinel.js'
import { defaultRedisUrl, loginOptions, reachedAt, type RedisSettings } from './redis-settings.js'
import { SingleLink } from './redis-single.js'

/** Connects when told to. */
export function openLink(settings: RedisSettings, options: LinkOptions): RedisLink {
  const { name } = options
  const { cluster, sentinels, url = defaultRedisUrl } = settings
  const login = loginOptions(settings)
  if (cluster !== undefined) return new ClusterLink(cluster, login, reachedAt(settings), options)
  if (sentinels !== undefined) {
    const redis = openConnection(sentinelOptions(settings), name)
    return new SingleLink(redis, options, switched => followFailovers(settings, switched))
  }
  const redis = url.startsWith('/') ? openConnection({ ...login, path: url }, name) : openConnection(login, name, url)
  return new SingleLink(redis, options)
}
