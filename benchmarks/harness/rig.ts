/** Private servers, the example shop configured to use them, and the way back to an empty state between rounds. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { freePort } from '../../engine/cli/local-probe.js'
import { startLocalServers, type LocalServers } from '../../engine/cli/local-servers.js'
import { loadConfig, type Config } from '../../engine/config.js'
import { loadPipeline } from '../../engine/load-pipeline.js'
import { connectNats, type NatsConnection } from '../../engine/nats/connection.js'
import { lanes, ledgerStream, Names } from '../../engine/nats/names.js'
import { provision } from '../../engine/nats/provision.js'
import { Streams } from '../../engine/nats/streams.js'
import type { Pipeline } from '../../engine/pipeline.js'
import { RedisStore } from '../../profiles/redis-store.js'
import type { Processes } from './meter.js'

/** From `build/benchmarks/`. */
export const shopFolder = fileURLToPath(new URL('../../../examples/shop/', import.meta.url))

export class Rig {
  private constructor(
    readonly servers: LocalServers,
    readonly configFile: string,
    readonly config: Config,
    readonly pipeline: Pipeline,
    readonly connection: NatsConnection,
    readonly streams: Streams,
    /** For looking at positions; measured processes have their own. */
    readonly store: RedisStore,
    private readonly redis: Redis,
  ) {}

  static async start(say: (line: string) => void): Promise<Rig> {
    const { pipeline } = await loadPipeline(join(shopFolder, 'pipeline.ts'))
    const servers = await startLocalServers({
      nats: { partitions: pipeline.partitions },
      // A rewrite of the append-only file would come in some rounds and not in others; `reset` does it between them.
      redis: { config: { 'auto-aof-rewrite-percentage': '0' } },
      say,
    })
    const configFile = join(servers.folder, 'bench.json')
    const settings = {
      pipeline: join(shopFolder, 'pipeline.ts'),
      nats: { servers: [`127.0.0.1:${servers.nats.port}`] },
      redis: { url: servers.redis.url },
      admin: { port: await freePort() },
      log: { level: 'warn' },
    }
    await writeFile(configFile, JSON.stringify(settings))
    const config = loadConfig({ file: configFile, env: {} })
    const connection = await connectNats(config.nats, 'millrace bench')
    const streams = await Streams.open(connection)
    const store = new RedisStore(config.redis, pipeline.name)
    await store.verify()
    const redis = new Redis(servers.redis.url)
    const rig = new Rig(servers, configFile, config, pipeline, connection, streams, store, redis)
    await rig.#provision()
    return rig
  }

  /** The servers, and the process that is measured. */
  processes(engine: number): Processes {
    return { engine, nats: this.servers.nats.pid, redis: this.servers.redis.pid }
  }

  get versions(): string {
    return `nats-server ${this.servers.nats.version}, redis-server ${this.servers.redis.version}`
  }

  /** The events stay; everything that was made of them goes, so that the next round starts like the first. */
  async reset(): Promise<void> {
    const { streams } = new Names()
    for (const stream of [...lanes.map(lane => streams[lane]), ledgerStream])
      await this.streams.manager.streams.delete(stream)
    await this.#provision()
    await this.redis.flushall()
    await this.redis.bgrewriteaof()
    while (!(await this.redis.info('persistence')).includes('aof_rewrite_in_progress:0')) {
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  async stop(): Promise<void> {
    this.redis.disconnect()
    await this.store.close()
    await this.connection.close()
    await this.servers.stop()
  }

  async #provision(): Promise<void> {
    const { provision: mode, replicas, retention } = this.config
    const { partitions } = this.pipeline
    const options = { mode, partitions, replicas, keepMs: retention.keep, minKeepMs: retention.minimum }
    await provision(this.connection, new Names(), options)
  }
}
