/** Private servers, a workload's pipeline configured to use them, and the way back to an empty state between rounds. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { startLocalServers, type LocalServers } from '../../engine/cli/local/servers.js'
import { loadConfig, type Config } from '../../engine/config/config.js'
import { loadPipeline } from '../../engine/load-pipeline.js'
import { connectNats, isNotFound, type NatsConnection } from '../../engine/nats/connection.js'
import { lanes, ledgerStream, Names } from '../../engine/nats/names.js'
import { provision } from '../../engine/nats/provision.js'
import { Streams } from '../../engine/nats/streams.js'
import type { Pipeline } from '../../engine/pipeline.js'
import { RedisStore } from '../../profiles/redis-store.js'
import type { Site } from '../contenders/contender.js'
import type { Workload } from '../workloads/workload.js'
import { writeEngineFile, type EngineFile } from './engine-config.js'
import type { Processes } from './meter.js'

export class Rig {
  private constructor(
    readonly workload: Workload,
    readonly servers: LocalServers,
    /** For `millrace run`. */
    readonly engine: EngineFile,
    readonly config: Config,
    readonly pipeline: Pipeline,
    readonly connection: NatsConnection,
    readonly streams: Streams,
    /** For looking at positions; measured processes have their own. */
    readonly store: RedisStore,
    private readonly redis: Redis,
  ) {}

  /** Resolves when the servers run and the streams are there, empty. */
  static async start(workload: Workload, say: (line: string) => void): Promise<Rig> {
    const { pipeline } = await loadPipeline(workload.pipelineFile)
    if (pipeline.partitions !== workload.partitions) {
      throw new Error(`${workload.name} has ${workload.partitions} partitions, its pipeline ${pipeline.partitions}`)
    }
    const servers = await startLocalServers({
      nats: { partitions: pipeline.partitions },
      // A rewrite of the append-only file would come in some rounds and not in others; `reset` does it between them.
      redis: { config: { 'auto-aof-rewrite-percentage': '0' } },
      say,
    })
    const [natsUrl, redisUrl] = [servers.nats.url, servers.redis.url]
    const { pipelineFile } = workload
    const engine = await writeEngineFile({ natsUrl, redisUrl, pipelineFile, folder: servers.folder })
    const config = loadConfig({ file: engine.configFile, env: {} })
    const connection = await connectNats(config.nats, 'millrace bench')
    const streams = await Streams.open(connection)
    const store = new RedisStore(config.redis, pipeline.name)
    await store.verify()
    const redis = new Redis(servers.redis.url)
    const rig = new Rig(workload, servers, engine, config, pipeline, connection, streams, store, redis)
    await rig.#provision()
    return rig
  }

  get configFile(): string {
    return this.engine.configFile
  }

  /** The servers, and the processes that are measured. */
  processes(...engine: number[]): Processes {
    return { engine, nats: [this.servers.nats.pid], redis: [this.servers.redis.pid] }
  }

  /** What a contender is told, with a folder of its own. */
  async site(contender: string): Promise<Site> {
    const { nats, redis, folder } = this.servers
    const names = new Names()
    const own = join(folder, contender)
    await mkdir(own, { recursive: true })
    return {
      natsUrl: nats.url,
      redisUrl: redis.url,
      folder: own,
      workload: this.workload,
      eventsStream: names.streams.events,
      triggersStream: names.streams.triggers,
    }
  }

  get versions(): string {
    return `nats-server ${this.servers.nats.version}, redis-server ${this.servers.redis.version}`
  }

  /** The events stay; everything that was made of them goes, so that the next round starts like the first. */
  async reset(): Promise<void> {
    const { streams } = new Names()
    await this.#empty([...lanes.map(lane => streams[lane]), ledgerStream])
  }

  /** Everything goes, the events too. */
  async clear(): Promise<void> {
    const { streams } = new Names()
    await this.#empty([...Object.values(streams), ledgerStream])
  }

  async stop(): Promise<void> {
    this.redis.disconnect()
    await this.store.close()
    await this.connection.close()
    await this.servers.stop()
  }

  async #empty(streams: readonly string[]): Promise<void> {
    for (const stream of streams) {
      await this.streams.manager.streams.delete(stream).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    }
    await this.#provision()
    await this.redis.flushall()
    await this.redis.bgrewriteaof()
    while (!(await this.redis.info('persistence')).includes('aof_rewrite_in_progress:0')) {
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  async #provision(): Promise<void> {
    const { provision: mode, replicas, retention } = this.config
    const { partitions } = this.pipeline
    const options = { mode, partitions, replicas, keepMs: retention.keep, minKeepMs: retention.minimum }
    await provision(this.connection, new Names(), options)
  }
}
