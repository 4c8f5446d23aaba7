/** Where the profiles of a rig live: one Redis, one that Sentinel replaces by its replica, or a cluster of three with a replica each. */
import { Cluster, Redis } from 'ioredis'
import { LocalRedis } from '../../../engine/cli/local/redis.js'
import { startRedisCluster, type RedisCluster } from '../../support/redis-cluster.js'
import { startRedisSentinels, type RedisSentinels } from '../../support/redis-sentinel.js'
import type { TestScope } from '../../support/servers.js'
import type { RigOptions } from './rig.js'

export const redisTopologies = ['single', 'sentinel', 'cluster'] as const
export type RedisTopology = (typeof redisTopologies)[number]

export interface Stores {
  readonly server: LocalRedis | undefined
  readonly sentinels: RedisSentinels | undefined
  readonly cluster: RedisCluster | undefined
  /** Past all proxies; finds the masters by itself. */
  readonly client: Redis | Cluster
}

const everyMs = 100
const nothing = { server: undefined, sentinels: undefined, cluster: undefined }

/** Resolves when everything is replicated. Stopped at the end of the scope. */
export async function startStores(t: TestScope, folder: string, options: RigOptions): Promise<Stores> {
  const { redis: binary, redisTopology = 'single' } = options
  const retry = { retryStrategy: () => everyMs, maxRetriesPerRequest: null }
  if (redisTopology === 'sentinel') {
    const sentinels = await startRedisSentinels(t, { folder, binary })
    const hosts = sentinels.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }))
    const sentinelRetryStrategy = () => everyMs
    const client = new Redis({ ...retry, sentinels: hosts, name: sentinels.master, sentinelRetryStrategy })
    return { ...nothing, sentinels, client: closing(t, client) }
  }
  if (redisTopology === 'cluster') {
    const cluster = await startRedisCluster(t, { folder, binary, replicas: true })
    const hosts = cluster.nodes.map(({ server }) => ({ host: '127.0.0.1', port: server.port }))
    const client = new Cluster(hosts, { clusterRetryStrategy: () => everyMs, retryDelayOnFailover: everyMs })
    return { ...nothing, cluster, client: closing(t, client) }
  }
  // Copies are made of running files: a rewrite would move them meanwhile.
  const server = await LocalRedis.start({ folder, binary, config: { 'auto-aof-rewrite-percentage': '0' } })
  t.teardown(() => server.kill())
  return { ...nothing, server, client: closing(t, new Redis(server.url, retry)) }
}

/** Names that match, each once, wherever they are. */
export async function* namesLike(client: Redis | Cluster, pattern: string): AsyncGenerator<string[]> {
  const seen = new Set<string>()
  for (const node of client instanceof Cluster ? client.nodes('master') : [client]) {
    for await (const page of node.scanStream({ match: pattern, count: 1_000 }) as AsyncIterable<string[]>) {
      // A scan may give a name twice.
      const names = [...new Set(page)].filter(name => !seen.has(name))
      for (const name of names) seen.add(name)
      if (names.length > 0) yield names
    }
  }
}

function closing<Client extends Redis | Cluster>(t: TestScope, client: Client): Client {
  client.on('error', () => {}) // faults stop servers
  t.teardown(() => client.disconnect())
  return client
}
