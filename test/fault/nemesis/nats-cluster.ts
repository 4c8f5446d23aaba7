/**
 * Faults of a cluster of brokers that lose nothing it has acknowledged. The next one waits until every replica is up to date again:
 * what two of three have lost is lost.
 */
import type { NatsCluster } from '../../support/nats-cluster.js'
import { nothingToHeal, type Fault, type Heal, type Scene } from './fault.js'

/** What producers write to, what the engine does, and what it keeps for itself. */
const streams = ['EVENTS', 'TRIGGERS', 'SEGMENTS', 'SUPPRESSED', 'DEADLETTERS', 'MILLRACE']

const faults: readonly (Pick<Fault, 'name' | 'lastsMs'> & {
  readonly strike: (cluster: NatsCluster, scene: Scene) => Promise<Heal>
})[] = [
  {
    name: 'nats_step_down',
    lastsMs: [0, 0],
    strike: async (cluster, { random }) => {
      await cluster.stepDown(random.pick(streams))
      return nothingToHeal
    },
  },
  {
    name: 'nats_leader_kill',
    lastsMs: [0, 5_000],
    strike: async (cluster, { random }) => {
      const leader = await cluster.leaderOf(random.pick(streams))
      await leader.kill()
      return () => leader.start()
    },
  },
  {
    // It wakes up believing that it leads.
    name: 'nats_leader_stop',
    lastsMs: [0, 2_000],
    strike: async (cluster, { random }) => {
      const stream = random.pick(streams)
      const leader = await cluster.leaderOf(stream)
      leader.pause()
      await cluster.ledByAnother(stream, leader)
      return async () => leader.resume()
    },
  },
  {
    name: 'nats_nodes_all_killed',
    lastsMs: [0, 3_000],
    strike: async ({ nodes }) => {
      await Promise.all(nodes.map(node => node.kill()))
      return async () => void (await Promise.all(nodes.map(node => node.start())))
    },
  },
  {
    name: 'nats_nodes_rolling_restart',
    lastsMs: [0, 0],
    strike: async cluster => {
      for (const node of cluster.nodes) {
        await node.restart()
        await cluster.healthy()
      }
      return nothingToHeal
    },
  },
]

export const natsClusterFaults = faults.map(({ name, lastsMs, strike }): Fault => ({
  name,
  grips: ['nats'],
  needs: 'nats_cluster',
  lastsMs,
  inject: async scene => {
    const { natsCluster } = scene.rig
    const heal = await strike(natsCluster, scene)
    return async () => {
      await heal()
      await natsCluster.healthy()
    }
  },
}))
