/**
 * Everything that a fault can hit: private servers of a chosen version, engine replicas as processes of their own, and between
 * each replica and each server a proxy. The tests' own connections go past the proxies.
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Cluster, Redis } from 'ioredis'
import type { NatsConnection } from 'nats'
import { accountMapping, LocalNats, type NatsRelease } from '../../../engine/cli/local/nats.js'
import type { LocalRedis } from '../../../engine/cli/local/redis.js'
import { loadPipeline } from '../../../engine/load-pipeline.js'
import type { Pipeline } from '../../../engine/millrace.js'
import { eventually } from '../../support/eventually.js'
import { startLink, type Link } from '../../support/link.js'
import type { NatsCluster } from '../../support/nats-cluster.js'
import type { RedisCluster } from '../../support/redis-cluster.js'
import type { RedisSentinels } from '../../support/redis-sentinel.js'
import type { TestScope } from '../../support/servers.js'
import { startBrokers, type Brokers, type NatsTopology } from './brokers.js'
import { Disk } from './disk.js'
import { type PartitionSight, ReplicaProcess } from './replica-process.js'
import { startStores, type RedisTopology, type Stores } from './stores.js'

export interface RigOptions {
  readonly replicas: number
  readonly partitions: number
  /** Path of nats-server; otherwise it is looked for. */
  readonly nats?: string | undefined
  /** Without a path: the installed one, or a current one. */
  readonly release?: NatsRelease | undefined
  readonly redis?: string | undefined
  /** Default `single`. */
  readonly natsTopology?: NatsTopology | undefined
  /** Default `single`. */
  readonly redisTopology?: RedisTopology | undefined
  /** Protections that the replicas are switched off. */
  readonly without?: readonly string[]
  readonly leaseTtl?: string
  /** The files of single servers lie on file systems of a fixed size, if this machine lets us make any. */
  readonly limitedDisks?: boolean
}

/** A replica with its own links. */
export interface Member {
  readonly replica: ReplicaProcess
  readonly links: { readonly nats: Link; readonly redis: Link }
}

/** What a rig may have been started with, one of each kind of server. */
export type Setup = 'nats' | 'nats_cluster' | 'redis' | 'redis_sentinel' | 'redis_cluster'

export const outboxEntries = 5_000
/** More than a run of five minutes writes at 4,000 events a second; a full one takes as much memory. */
const diskMb = 3_072

const program = fileURLToPath(new URL('../replica.js', import.meta.url))
const editionFiles = {
  1: fileURLToPath(new URL('../workload/pipeline.js', import.meta.url)),
  2: fileURLToPath(new URL('../workload/pipeline-2.js', import.meta.url)),
}

export class Rig {
  #edition: 1 | 2 = 1

  private constructor(
    readonly options: RigOptions,
    readonly folder: string,
    readonly disks: { readonly nats: Disk; readonly redis: Disk },
    private readonly brokers: Brokers,
    private readonly stores: Stores,
    readonly members: readonly Member[],
  ) {}

  /**
   * Resolves when the servers answer; no replica runs yet. At the end of the scope everything is stopped, and the folder is
   * removed, or only what the servers stored when `isAsExpected` says no.
   */
  static async start(t: TestScope, options: RigOptions, isAsExpected: () => boolean): Promise<Rig> {
    const folder = await mkdtemp(join(tmpdir().length <= 60 ? tmpdir() : '/tmp', 'chaos-'))
    // The first to be registered is the last to run.
    t.teardown(() => cleanUp(folder, isAsExpected()))
    const [natsDisk, redisDisk] = await Promise.all([
      Disk.open(t, join(folder, 'nats'), options.limitedDisks === true ? diskMb : undefined),
      Disk.open(t, join(folder, 'redis'), options.limitedDisks === true ? diskMb : undefined),
    ])
    const brokers = await startBrokers(t, folder, options)
    const stores = await startStores(t, folder, options)
    const members: Member[] = []
    const disks = { nats: natsDisk, redis: redisDisk }
    const rig = new Rig(options, folder, disks, brokers, stores, members)
    for (let i = 1; i <= options.replicas; i++) members.push(await rig.#addMember(t, `r${i}`))
    return rig
  }

  /** The only broker; throws where there are several. */
  get nats(): LocalNats {
    return present(this.brokers.server, 'nats')
  }

  get natsCluster(): NatsCluster {
    return present(this.brokers.cluster, 'nats_cluster')
  }

  get natsVersion(): string {
    return (this.brokers.server ?? this.natsCluster.nodes[0]!).version
  }

  /** Past the proxies. */
  get connection(): NatsConnection {
    return this.brokers.connection
  }

  /** The only Redis; throws where there are several. */
  get redis(): LocalRedis {
    return present(this.stores.server, 'redis')
  }

  get sentinels(): RedisSentinels {
    return present(this.stores.sentinels, 'redis_sentinel')
  }

  get redisCluster(): RedisCluster {
    return present(this.stores.cluster, 'redis_cluster')
  }

  get redisVersion(): string {
    const { server, sentinels, cluster } = this.stores
    return (server ?? (sentinels?.servers ?? cluster!.nodes)[0]!.server).version
  }

  /** Past the proxies. */
  get client(): Redis | Cluster {
    return this.stores.client
  }

  has(setup: Setup): boolean {
    const { brokers, stores } = this
    const found = {
      nats: brokers.server,
      nats_cluster: brokers.cluster,
      redis: stores.server,
      redis_sentinel: stores.sentinels,
      redis_cluster: stores.cluster,
    }
    return found[setup] !== undefined
  }

  get replicas(): readonly ReplicaProcess[] {
    return this.members.map(({ replica }) => replica)
  }

  async startReplicas(): Promise<void> {
    await Promise.all(this.replicas.filter(({ isRunning }) => !isRunning).map(replica => replica.start()))
  }

  /** Edition of the definition that replicas are started with. */
  get edition(): 1 | 2 {
    return this.#edition
  }

  /** Replicas that are started from now on run this edition. */
  async change(edition: 1 | 2): Promise<void> {
    this.#edition = edition
    await Promise.all(this.members.map(member => this.#configure(member)))
  }

  /** What the definition reads from the environment. */
  get environment(): Readonly<Record<string, string>> {
    return { CHAOS_PARTITIONS: String(this.options.partitions) }
  }

  /** Module of the definition that replicas are started with. */
  get pipelineFile(): string {
    return editionFiles[this.edition]
  }

  /** That definition, as this process reads it. */
  async pipeline(): Promise<Pipeline> {
    const { pipeline } = await loadPipeline(this.pipelineFile)
    // The module is loaded once in this process, for whatever number came first.
    return { ...pipeline, partitions: this.options.partitions }
  }

  /** Numbers of the partitions. */
  get numbers(): readonly number[] {
    return Array.from({ length: this.options.partitions }, (_, partition) => partition)
  }

  /** What Redis holds about each partition, by the names it is stored under. */
  metas(): Promise<Record<string, string>[]> {
    return Promise.all(this.numbers.map(partition => this.client.hgetall(`mr:{chaos:${partition}}:meta`)))
  }

  /** What the replicas that answer say of all partitions. */
  async sights(): Promise<readonly PartitionSight[]> {
    const seen = await Promise.all(this.replicas.map(replica => replica.partitions()))
    return seen.flatMap(sights => sights ?? [])
  }

  /** Resolves when JetStream answers the tests' own connection: a broker that has just come back takes a while. */
  async untilNatsAnswers(): Promise<void> {
    const manager = await this.connection.jetstreamManager({ checkAPI: false, timeout: 500 })
    await eventually('JetStream answers', async () => (await manager.getAccountInfo()) !== undefined, {
      withinMs: 30_000,
    })
  }

  /** The same store and port under a current server, as an upgrade in place leaves it. */
  async upgradeNats(): Promise<void> {
    const { port } = this.nats
    const { partitions } = this.options
    await this.nats.stop()
    // The old server mapped subjects for its account, and whoever upgrades keeps the configuration.
    const config = accountMapping(partitions)
    this.brokers.server = await LocalNats.start({
      folder: this.folder,
      release: 'current',
      partitions,
      port,
      config,
    })
  }

  async #addMember(t: TestScope, name: string): Promise<Member> {
    const links = {
      nats: await startLink(t, this.brokers.cluster?.nodes ?? [this.nats]),
      redis: await startLink(t, this.#redisServers()),
    }
    const folder = join(this.folder, 'logs')
    await mkdir(folder, { recursive: true })
    const { without = [] } = this.options
    const replica = new ReplicaProcess({
      name,
      program,
      arguments: [
        'run',
        '--config',
        this.#configFile(name),
        ...(without.length === 0 ? [] : ['--without', without.join(',')]),
      ],
      environment: { ...this.environment, MILLRACE_REPLICA_NAME: name },
      folder,
    })
    t.teardown(() => replica.kill())
    const member = { replica, links }
    await this.#configure(member)
    return member
  }

  async #configure({ replica: { name }, links }: Member): Promise<void> {
    const settings = {
      pipeline: this.pipelineFile,
      nats: { servers: links.nats.addresses },
      redis: this.#redisSettings(links.redis),
      replicas: this.brokers.cluster?.nodes.length ?? 1,
      admin: { port: 0 },
      lease: { ttl: this.options.leaseTtl ?? '5s' },
      outbox: { maxEntries: outboxEntries },
    }
    await writeFile(this.#configFile(name), JSON.stringify(settings)) // JSON is YAML
  }

  /** Everything that a replica connects to for its profiles, sentinels first. */
  #redisServers(): { readonly port: number }[] {
    const { server, sentinels, cluster } = this.stores
    if (sentinels !== undefined) return [...sentinels.sentinels, ...sentinels.servers.map(({ server }) => server)]
    if (cluster !== undefined) return cluster.nodes.map(({ server }) => server)
    return [server!]
  }

  #redisSettings({ addresses, addressMap }: Link): object {
    const { sentinels, cluster } = this.stores
    if (sentinels !== undefined) {
      return { sentinels: addresses.slice(0, sentinels.sentinels.length), master: sentinels.master, addressMap }
    }
    return cluster === undefined ? { url: `redis://${addresses[0]}` } : { cluster: addresses, addressMap }
  }

  #configFile(name: string): string {
    return join(this.folder, `${name}.yaml`)
  }
}

function present<Server>(server: Server | undefined, setup: Setup): Server {
  if (server === undefined) throw new Error(`this rig was started without ${setup}`)
  return server
}

/** Removes everything; when the run did not go as expected only what the servers stored, so that logs and configurations stay. */
async function cleanUp(folder: string, isAsExpected: boolean): Promise<void> {
  if (isAsExpected) return rm(folder, { recursive: true, force: true, maxRetries: 3 })
  for (const path of await readdir(folder, { recursive: true })) {
    const isStored = /^(nats|redis)/.test(path) && !/\.(log|conf)$/.test(path)
    // Folders stay, empty.
    if (isStored) await rm(join(folder, path), { force: true }).catch(() => undefined)
  }
}
