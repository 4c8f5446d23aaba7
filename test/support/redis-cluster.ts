/**
 * A private Redis Cluster on the loopback interface: three masters that share the 16,384 slots, each with a replica if wanted.
 * Slots are moved in steps, as `redis-cli --cluster reshard` does it, so that a test can look at what lies in between.
 */
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import { freePort } from '../../engine/cli/local/probe.js'
import { LocalRedis, type LocalRedisOptions } from '../../engine/cli/local/redis.js'
import { eventually } from './eventually.js'
import { followsMaster, roleOf, serverClient } from './redis-replication.js'
import { temporaryFolder, type TestScope } from './servers.js'

const masters = 3
const slots = 16_384

export interface RedisClusterOptions extends Partial<Pick<LocalRedisOptions, 'folder' | 'binary'>> {
  /** A replica for each master. Default false. */
  readonly replicas?: boolean
  /** A node that is silent this long is taken for dead. Default 1 s. */
  readonly nodeTimeoutMs?: number
}

export interface ClusterNode {
  readonly id: string
  readonly server: LocalRedis
  /** Where nodes talk to each other. */
  readonly busPort: number
  /** For commands to this very node; follows no redirection. */
  readonly redis: Redis
}

export class RedisCluster {
  constructor(readonly nodes: readonly ClusterNode[]) {}

  /** `host:port` of every node, as configurations want it. */
  get addresses(): string[] {
    return this.nodes.map(({ server }) => `127.0.0.1:${server.port}`)
  }

  /** The node that holds the slot of this key by what the others say. */
  async ownerOf(key: string): Promise<ClusterNode> {
    const slot = await this.slotOf(key)
    const range = (await this.#slots()).find(([from, to]) => from <= slot && slot <= to)
    if (range === undefined) throw new Error(`nobody holds slot ${slot}`)
    return this.#node(range[2][2])
  }

  /** The replicas that follow this node. */
  async replicasOf({ id }: ClusterNode): Promise<ClusterNode[]> {
    const range = (await this.#slots()).find(([, , master]) => master[2] === id)
    return range === undefined ? [] : range.slice(3).map(holder => this.#node((holder as Holder)[2]))
  }

  async slotOf(key: string): Promise<number> {
    return (await this.#alive()).redis.cluster('KEYSLOT', key)
  }

  /** A master other than the owner of this key. */
  async otherThan({ id }: ClusterNode): Promise<ClusterNode> {
    const other = (await this.#slots()).map(([, , master]) => master[2]).find(other => other !== id)
    return this.#node(other!)
  }

  /** Begins to move the slot of the key: from here on the old owner answers ASK for keys it lacks, TRYAGAIN for some of several. */
  async startMove(key: string): Promise<SlotMove> {
    const from = await this.ownerOf(key)
    const to = await this.otherThan(from)
    const slot = await this.slotOf(key)
    await to.redis.cluster('SETSLOT', slot, 'IMPORTING', from.id)
    await from.redis.cluster('SETSLOT', slot, 'MIGRATING', to.id)
    return new SlotMove(slot, from, to)
  }

  /** Resolves when every node is up and sees all slots served. */
  async healthy(): Promise<void> {
    for (const { redis } of this.nodes) await eventually('a node sees all slots served', () => isHealthy(redis))
  }

  /** Resolves when besides that every master has a replica that follows it. */
  async replicated(): Promise<void> {
    await this.healthy()
    const isReplicated = async () => {
      const ranges = await this.#slots()
      const holders = new Set(ranges.flatMap(([, , ...all]) => all.map(holder => (holder as Holder)[2])))
      return holders.size === this.nodes.length
    }
    await eventually('every node serves slots or follows one that does', isReplicated, { withinMs: 30_000 })
    for (const node of this.nodes) if ((await roleOf(node.redis)) === 'slave') await followsMaster(node.redis)
  }

  async #slots(): Promise<SlotRange[]> {
    return slotsOf((await this.#alive()).redis)
  }

  /** A node that sees all slots served; those that are stopped, paused or alone do not count. */
  async #alive(): Promise<ClusterNode> {
    const answer = async (node: ClusterNode) => {
      if (await isHealthy(node.redis)) return node
      throw new Error('it sees slots without an owner')
    }
    return eventually('some node sees all slots served', () => Promise.any(this.nodes.map(answer)))
  }

  #node(id: string): ClusterNode {
    return this.nodes.find(node => node.id === id)!
  }
}

type Holder = [host: string, port: number, id: string]
type SlotRange = [from: number, to: number, master: Holder, ...replicas: Holder[]]

async function slotsOf(redis: Redis): Promise<SlotRange[]> {
  return (await redis.call('CLUSTER', 'SLOTS')) as SlotRange[]
}

async function isHealthy(redis: Redis): Promise<boolean> {
  return (await redis.cluster('INFO')).includes('cluster_state:ok')
}

/** A slot on its way from one node to another. */
export class SlotMove {
  constructor(
    readonly slot: number,
    readonly from: ClusterNode,
    readonly to: ClusterNode,
  ) {}

  /** Moves at most so many keys; gives how many are left. */
  async moveKeys(count: number): Promise<number> {
    const keys = await this.from.redis.cluster('GETKEYSINSLOT', this.slot, count)
    if (keys.length > 0) {
      await this.from.redis.call('MIGRATE', '127.0.0.1', this.to.server.port, '', 0, 5_000, 'KEYS', ...keys)
    }
    return this.from.redis.cluster('COUNTKEYSINSLOT', this.slot)
  }

  /** Moves what is left and tells both, and by them all, who the owner is now. */
  async finish(): Promise<void> {
    while ((await this.moveKeys(100)) > 0);
    await this.to.redis.cluster('SETSLOT', this.slot, 'NODE', this.to.id)
    await this.from.redis.cluster('SETSLOT', this.slot, 'NODE', this.to.id)
  }
}

/** Resolves when all slots are served and every replica follows. Stopped at the test's end. */
export async function startRedisCluster(t: TestScope, options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { replicas = false, nodeTimeoutMs = 1_000, binary } = options
  const folder = options.folder ?? (await temporaryFolder(t))
  const count = replicas ? 2 * masters : masters
  const nodes = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      startNode(t, { folder: join(folder, `redis-${i}`), binary }, nodeTimeoutMs),
    ),
  )
  await Promise.all(nodes.map(({ redis }, i) => redis.cluster('SET-CONFIG-EPOCH', i + 1)))
  await Promise.all(
    nodes.slice(0, masters).map(({ redis }, i) => redis.call('CLUSTER', 'ADDSLOTSRANGE', ...shareOf(i))),
  )
  await Promise.all(nodes.slice(1).map(({ redis }) => meet(redis, nodes[0]!)))
  for (const { redis } of nodes) {
    await eventually('everybody knows everybody', async () => {
      const info = await redis.cluster('INFO')
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${count}\r`)
    })
  }
  await Promise.all(nodes.slice(masters).map(({ redis }, i) => redis.cluster('REPLICATE', nodes[i]!.id)))
  const cluster = new RedisCluster(nodes)
  for (const replica of nodes.slice(masters)) await followsMaster(replica.redis)
  for (const { redis } of nodes) {
    await eventually('everybody knows the replicas', async () =>
      (await slotsOf(redis)).every(range => range.length === 2 + count / masters),
    )
  }
  return cluster
}

async function startNode(
  t: TestScope,
  place: Pick<LocalRedisOptions, 'folder' | 'binary'>,
  nodeTimeoutMs: number,
): Promise<ClusterNode> {
  const busPort = await freePort()
  const server = await LocalRedis.start({
    ...place,
    config: {
      'cluster-enabled': 'yes',
      'cluster-config-file': 'nodes.conf',
      'cluster-node-timeout': String(nodeTimeoutMs),
      // By default it is the port plus 10,000, which may not be free, or no port at all.
      'cluster-port': String(busPort),
      // A replica may be promoted however old its link is: it lagging behind is what tests are about.
      'cluster-replica-validity-factor': '0',
      'cluster-allow-replica-migration': 'no',
      'repl-diskless-sync-delay': '0',
      // Until the first of these pings a replica is not listed.
      'repl-ping-replica-period': '1',
    },
  })
  t.teardown(() => server.stop())
  const redis = serverClient(t, server.url)
  return { id: await redis.cluster('MYID'), server, busPort, redis }
}

function meet(redis: Redis, { server, busPort }: ClusterNode): Promise<unknown> {
  return redis.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort)
}

/** First and last slot of a master's equal share. */
function shareOf(master: number): [number, number] {
  return [Math.ceil((master * slots) / masters), Math.ceil(((master + 1) * slots) / masters) - 1]
}
