/**
 * Everything that a fault can hit: private servers of a chosen version, engine replicas as processes of their own, and between
 * each replica and each server a proxy. The tests' own connections go past the proxies.
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { connect, type NatsConnection } from 'nats'
import { LocalNats, type NatsRelease } from '../../../engine/cli/local/nats.js'
import { LocalRedis } from '../../../engine/cli/local/redis.js'
import { loadPipeline } from '../../../engine/load-pipeline.js'
import type { Pipeline } from '../../../engine/millrace.js'
import { eventually } from '../../support/eventually.js'
import { startProxy, type TcpProxy } from '../../support/proxy.js'
import type { TestScope } from '../../support/servers.js'
import { Disk } from './disk.js'
import { type PartitionSight, ReplicaProcess } from './replica-process.js'

export interface RigOptions {
  readonly replicas: number
  readonly partitions: number
  /** Path of nats-server; otherwise it is looked for. */
  readonly nats?: string | undefined
  /** Without a path: the installed one, or a current one. */
  readonly release?: NatsRelease | undefined
  readonly redis?: string | undefined
  /** Protections that the replicas are switched off. */
  readonly without?: readonly string[]
  readonly leaseTtl?: string
  /** The servers' files lie on file systems of a fixed size, if this machine lets us make any. */
  readonly limitedDisks?: boolean
}

/** A replica with its own link to each server. */
export interface Member {
  readonly replica: ReplicaProcess
  readonly links: { readonly nats: TcpProxy; readonly redis: TcpProxy }
}

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
  /** The server that runs now: an upgrade replaces it. */
  nats: LocalNats

  private constructor(
    readonly options: RigOptions,
    readonly folder: string,
    readonly disks: { readonly nats: Disk; readonly redis: Disk },
    nats: LocalNats,
    readonly redis: LocalRedis,
    readonly connection: NatsConnection,
    readonly client: Redis,
    readonly members: readonly Member[],
  ) {
    this.nats = nats
  }

  /**
   * Resolves when the servers answer; no replica runs yet. At the end of the scope everything is stopped, and the folder is
   * removed, or only what the servers stored when `isClean` says no.
   */
  static async start(t: TestScope, options: RigOptions, isClean: () => boolean): Promise<Rig> {
    const folder = await mkdtemp(join(tmpdir().length <= 60 ? tmpdir() : '/tmp', 'chaos-'))
    // The first to be registered is the last to run.
    t.teardown(() => cleanUp(folder, isClean()))
    const [natsDisk, redisDisk] = await Promise.all([
      Disk.open(t, join(folder, 'nats'), options.limitedDisks === true ? diskMb : undefined),
      Disk.open(t, join(folder, 'redis'), options.limitedDisks === true ? diskMb : undefined),
    ])
    const nats = await LocalNats.start({
      folder,
      binary: options.nats,
      release: options.release,
      partitions: options.partitions,
    })
    // Copies are made of running files: a rewrite would move them meanwhile.
    const config = { 'auto-aof-rewrite-percentage': '0' }
    const redis = await LocalRedis.start({ folder, binary: options.redis, config })
    const closeServers = async (): Promise<void> => {
      await Promise.all([rig.nats.kill(), redis.kill()])
    }
    t.teardown(closeServers)
    const connection = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 })
    t.teardown(() => connection.close())
    const client = new Redis(redis.url, { retryStrategy: () => 100, maxRetriesPerRequest: null })
    client.on('error', () => {}) // faults stop the server
    t.teardown(() => client.disconnect())
    const members: Member[] = []
    const disks = { nats: natsDisk, redis: redisDisk }
    const rig = new Rig(options, folder, disks, nats, redis, connection, client, members)
    for (let i = 1; i <= options.replicas; i++) members.push(await rig.#addMember(t, `r${i}`))
    return rig
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
    const mapping = `mappings = { "events.*.*.*": "events.{{partition(${partitions},3)}}.{{wildcard(1)}}.{{wildcard(2)}}" }`
    this.nats = await LocalNats.start({ folder: this.folder, release: 'current', partitions, port, config: mapping })
  }

  async #addMember(t: TestScope, name: string): Promise<Member> {
    const links = { nats: await startProxy(t, this.nats.port), redis: await startProxy(t, this.redis.port) }
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
      nats: { servers: [`127.0.0.1:${links.nats.port}`] },
      redis: { url: `redis://127.0.0.1:${links.redis.port}` },
      admin: { port: 0 },
      lease: { ttl: this.options.leaseTtl ?? '5s' },
      outbox: { maxEntries: outboxEntries },
    }
    await writeFile(this.#configFile(name), JSON.stringify(settings)) // JSON is YAML
  }

  #configFile(name: string): string {
    return join(this.folder, `${name}.yaml`)
  }
}

/** Removes everything; when something went wrong only what the servers stored, so that logs and configurations stay. */
async function cleanUp(folder: string, isClean: boolean): Promise<void> {
  const stored = (await readdir(folder)).filter(name => /^(nats|redis)/.test(name))
  for (const path of isClean ? [''] : stored)
    await rm(join(folder, path), { recursive: true, force: true, maxRetries: 3 })
}
