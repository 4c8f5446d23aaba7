/** Faults of a Redis Cluster, after which at most the last moments of one master are gone. */
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../support/eventually.js'
import type { ClusterNode, RedisCluster } from '../../support/redis-cluster.js'
import { allowReplication, stopReplication } from '../../support/redis-replication.js'
import type { Rig } from '../rig/rig.js'
import { nothingToHeal, type Fault, type Heal, type Scene } from './fault.js'

/** A node is missed after a second, and its replica elected some time later. */
const promotedWithinMs = 30_000
const givenUpAfterMs = 6_000

const faults: readonly (Pick<Fault, 'name' | 'lastsMs'> & { readonly strike: (scene: Scene) => Promise<Heal> })[] = [
  {
    // Some keys of a partition are at the new owner and some at the old one for as long as the fault lasts.
    name: 'redis_slot_move',
    lastsMs: [0, 3_000],
    strike: async ({ rig, random }) => {
      const move = await rig.redisCluster.startMove(someKey(rig, random))
      await move.moveKeys(5)
      return () => move.finish()
    },
  },
  {
    name: 'redis_cluster_failover_lag',
    lastsMs: [0, 5_000],
    strike: async ({ rig, random, monitor }) => {
      const cluster = rig.redisCluster
      const key = someKey(rig, random)
      const master = await cluster.ownerOf(key)
      const replica = await replicaOf(cluster, master)
      const rollback = monitor.expectRollback()
      await stopReplication(replica.redis, master.redis)
      await sleep(1_000)
      await master.server.kill()
      await taken(cluster, key, master)
      await allowReplication(replica.redis)
      rollback.done()
      return () => master.server.start()
    },
  },
  {
    name: 'redis_cluster_failover',
    lastsMs: [0, 0],
    strike: async ({ rig, random }) => {
      const cluster = rig.redisCluster
      const key = someKey(rig, random)
      const master = await cluster.ownerOf(key)
      const replica = await replicaOf(cluster, master)
      await failOver(cluster, key, master, replica)
      return nothingToHeal
    },
  },
  {
    name: 'redis_cluster_master_stop',
    lastsMs: [0, 3_000],
    strike: async ({ rig, random, monitor }) => {
      const cluster = rig.redisCluster
      const key = someKey(rig, random)
      const master = await cluster.ownerOf(key)
      const rollback = monitor.expectRollback()
      master.server.pause()
      await taken(cluster, key, master)
      rollback.done()
      return async () => master.server.resume()
    },
  },
]

/** The next fault waits until every node is up, sees all slots served, and every master has its replica. */
export const redisClusterFaults = faults.map(({ name, lastsMs, strike }): Fault => ({
  name,
  grips: ['redis'],
  needs: 'redis_cluster',
  lastsMs,
  inject: async scene => {
    const heal = await strike(scene)
    return async () => {
      await heal()
      await scene.rig.redisCluster.replicated()
    }
  },
}))

/** Of a partition. */
function someKey({ numbers }: Rig, random: Scene['random']): string {
  return `mr:{chaos:${random.pick(numbers)}}:meta`
}

/** Not every node lists a replica as soon as it follows. */
function replicaOf(cluster: RedisCluster, master: ClusterNode): Promise<ClusterNode> {
  const first = async () => (await cluster.replicasOf(master))[0]
  return eventually('the master has a replica', first, { withinMs: promotedWithinMs })
}

/** Servers give a failover on command up when they do not agree within five seconds, and tell nobody. */
async function failOver(cluster: RedisCluster, key: string, from: ClusterNode, to: ClusterNode): Promise<void> {
  const isDone = async () => {
    if ((await cluster.ownerOf(key)) === to) return true
    await to.redis.cluster('FAILOVER')
    await taken(cluster, key, from, givenUpAfterMs)
    return true
  }
  await eventually('the replica takes over', isDone, { withinMs: promotedWithinMs })
}

async function taken(
  cluster: RedisCluster,
  key: string,
  before: ClusterNode,
  withinMs = promotedWithinMs,
): Promise<void> {
  const isTaken = async () => (await cluster.ownerOf(key)) !== before
  await eventually(`another node serves ${key}`, isTaken, { withinMs })
}
