/** The brokers of a rig: one server, or three that keep every stream together. */
import { connect, type NatsConnection } from 'nats'
import { LocalNats } from '../../../engine/cli/local/nats.js'
import { Names } from '../../../engine/nats/names.js'
import { provision } from '../../../engine/nats/provision.js'
import { startNatsCluster, type NatsCluster } from '../../support/nats-cluster.js'
import type { TestScope } from '../../support/servers.js'
import type { RigOptions } from './rig.js'

export const natsTopologies = ['single', 'cluster'] as const
export type NatsTopology = (typeof natsTopologies)[number]

export interface Brokers {
  /** The only one; an upgrade replaces it. */
  server: LocalNats | undefined
  readonly cluster: NatsCluster | undefined
  /** Past all proxies. */
  readonly connection: NatsConnection
}

/** Resolves when streams can be made. Stopped at the end of the scope. */
export async function startBrokers(t: TestScope, folder: string, options: RigOptions): Promise<Brokers> {
  const { nats: binary, release, partitions, natsTopology = 'single' } = options
  if (natsTopology === 'cluster') {
    // A client that is told of the servers would find its way past the proxies.
    const cluster = await startNatsCluster(t, { folder, binary, release, partitions, isAdvertised: false })
    await allowBatches(cluster, partitions)
    return { server: undefined, cluster, connection: cluster.connection }
  }
  const running: { server: LocalNats } = { server: await LocalNats.start({ folder, binary, release, partitions }) }
  t.teardown(() => running.server.kill())
  const servers = running.server.url
  const connection = await connect({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 100 })
  t.teardown(() => connection.close())
  return Object.assign(running, { cluster: undefined, connection })
}

/** As `millrace check --provision` does: replicas do not take it on themselves in a cluster. */
async function allowBatches({ connection, nodes }: NatsCluster, partitions: number): Promise<void> {
  const keepMs = 7 * 24 * 3_600_000
  await provision(connection, new Names(), {
    ...{ mode: 'create', isExplicit: true, partitions, replicas: nodes.length, keepMs, minKeepMs: keepMs },
  })
}
