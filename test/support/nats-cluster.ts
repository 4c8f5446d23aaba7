/** Three private nats-servers with routes between them: a JetStream cluster, in which streams may have three replicas. */
import { join } from 'node:path'
import { connect, type NatsConnection } from 'nats'
import { LocalNats, type LocalNatsOptions } from '../../engine/cli/local/nats.js'
import { ask, freePort } from '../../engine/cli/local/probe.js'
import { eventually } from './eventually.js'
import { temporaryFolder, type TestScope } from './servers.js'

const size = 3
/** A client that leaves a frozen node within seconds. */
export const impatient = { pingInterval: 1_000, maxPingOut: 2, timeout: 2_000, reconnectTimeWait: 100 }

/** Servers elect leaders of groups after 4 to 9 s of silence, and of several groups one after the other; a busy machine takes longer. */
const electionMs = 90_000

export class NatsCluster {
  constructor(
    readonly nodes: readonly LocalNats[],
    /** To the whole cluster: it finds another node when its own is gone. */
    readonly connection: NatsConnection,
    private readonly names: ReadonlyMap<string, LocalNats>,
  ) {}

  /** `host:port` of every node, as configurations want it. */
  get addresses(): string[] {
    return this.nodes.map(({ port }) => `127.0.0.1:${port}`)
  }

  /** The node that leads the stream; waits for an election. */
  async leaderOf(stream: string): Promise<LocalNats> {
    return eventually(
      `stream ${stream} has a leader`,
      async () => {
        const manager = await this.connection.jetstreamManager({ checkAPI: false, timeout: 1_000 })
        const { cluster } = await manager.streams.info(stream)
        return this.names.get(cluster?.leader ?? '')
      },
      { withinMs: electionMs },
    )
  }

  /** Asks the stream's leader to hand over; resolves when another node leads. */
  async stepDown(stream: string): Promise<LocalNats> {
    const before = await this.leaderOf(stream)
    await this.connection.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, '', { timeout: 5_000 })
    return this.ledByAnother(stream, before)
  }

  /** Resolves when a node other than `before` leads the stream. */
  async ledByAnother(stream: string, before: LocalNats): Promise<LocalNats> {
    const isAnother = async () => {
      const leader = await this.leaderOf(stream)
      return leader === before ? undefined : leader
    }
    return eventually(`another node leads ${stream}`, isAnother, { withinMs: electionMs })
  }

  /** Resolves when every stream has a leader and all its replicas are up to date. */
  async healthy(): Promise<void> {
    const isCurrent = async () => {
      const manager = await this.connection.jetstreamManager({ timeout: 1_000 })
      const streams = await manager.streams.list().next()
      return streams.every(({ cluster }) => {
        const peers = cluster?.replicas ?? []
        return this.names.has(cluster?.leader ?? '') && peers.every(peer => peer.current && !peer.offline)
      })
    }
    await eventually('all replicas are up to date', isCurrent, { withinMs: electionMs })
  }
}

export interface NatsClusterOptions extends Partial<
  Pick<LocalNatsOptions, 'folder' | 'binary' | 'release' | 'partitions' | 'config'>
> {
  /** False: clients know only the servers that they are given. Default true. */
  readonly isAdvertised?: boolean
}

/** Resolves when the cluster takes orders for streams of three replicas. Stopped at the test's end. */
export async function startNatsCluster(t: TestScope, options: NatsClusterOptions = {}): Promise<NatsCluster> {
  const folder = options.folder ?? (await temporaryFolder(t))
  const ports = await Promise.all(Array.from({ length: size }, freePort))
  const routes = ports.map(port => `"nats://127.0.0.1:${port}"`).join(', ')
  const nodes = await Promise.all(
    ports.map(async (port, i) => {
      const advertising = `no_advertise: ${options.isAdvertised === false}`
      const cluster = `cluster { name: test, listen: "127.0.0.1:${port}", routes: [${routes}], ${advertising} }`
      const config = [cluster, options.config ?? ''].join('\n')
      const node = await LocalNats.start({ ...options, folder: join(folder, `nats-${i}`), config })
      t.teardown(() => node.stop())
      return node
    }),
  )
  const names = new Map(await Promise.all(nodes.map(async node => [await nameOf(node), node] as const)))
  const servers = nodes.map(({ port }) => `127.0.0.1:${port}`)
  const connection = await connect({ servers, maxReconnectAttempts: -1, ...impatient })
  t.teardown(() => connection.close())
  await eventually(
    'the cluster has a leader',
    async () => (await connection.jetstreamManager({ timeout: 1_000 })).getAccountInfo(),
    { withinMs: electionMs },
  )
  return new NatsCluster(nodes, connection, names)
}

/** Every server greets with its name. */
async function nameOf({ port }: LocalNats): Promise<string> {
  const greeting = await eventually('the server greets', () => ask(port, '', /^INFO (\{.*\})\s*\r\n/))
  return (JSON.parse(greeting[1]!) as { server_name: string }).server_name
}
