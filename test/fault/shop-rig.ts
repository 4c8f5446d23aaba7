/**
 * The example shop under faults: private servers, a backlog, the real engine as its own process, and the demo's oracle as the
 * judge. MILLRACE_FAULT_EVENTS sets how many events; the default keeps the suite short.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import { connect, type NatsConnection } from 'nats'
import type { LocalServers } from '../../engine/cli/local/servers.js'
import { readSchemas } from '../../examples/shop/avro.js'
import { untilStill } from '../../examples/shop/demo-drain.js'
import { EngineProcess } from '../../examples/shop/demo-engine.js'
import { publishAll } from '../../examples/shop/demo-publish.js'
import { generate } from '../../examples/shop/generator.js'
import { consult, type Verdict } from '../../examples/shop/oracle.js'
import { eventually } from '../support/eventually.js'
import { redisClient } from '../support/redis.js'
import { startServers, type TestScope } from '../support/servers.js'

const partitions = 16
const program = fileURLToPath(new URL('../../engine/cli/main.js', import.meta.url))
const shopFolder = fileURLToPath(new URL('../../../examples/shop/', import.meta.url))
const events = Number(process.env['MILLRACE_FAULT_EVENTS'] ?? 30_000)
const withinMs = 120_000 + events

export class ShopRig {
  #starts = 0
  #engine: EngineProcess | undefined
  #publishedAt = 0
  /** Last stored event of each partition, stream sequence. */
  #ends: readonly number[] = []

  private constructor(
    readonly servers: LocalServers,
    private readonly connection: NatsConnection,
    private readonly config: string,
    private readonly redis: Redis,
  ) {}

  /** The engine reaches NATS at `natsPort`, by default the server's own. */
  static async start(t: TestScope, natsPortOf: (port: number) => Promise<number> = port => Promise.resolve(port)) {
    const servers = await startServers(t, { nats: { partitions } })
    const port = await natsPortOf(Number(new URL(servers.nats.url).port))
    const config = join(servers.folder, 'millrace.yaml')
    const settings = {
      pipeline: join(shopFolder, 'pipeline.ts'),
      nats: { servers: [`127.0.0.1:${port}`] },
      redis: { url: servers.redis.url },
      admin: { port: 0 },
      // Started again under its name, it does not wait for the lease of the process that was killed.
      replica: { name: 'shop' },
    }
    await writeFile(config, JSON.stringify(settings)) // JSON is YAML
    const connection = await connect({ servers: servers.nats.url, maxReconnectAttempts: -1 })
    t.teardown(() => connection.close())
    const rig = new ShopRig(servers, connection, config, redisClient(t, servers.redis.url))
    t.teardown(() => rig.#engine?.stop())
    return rig
  }

  /** Stores the backlog while no engine runs; a first short start has made the streams. */
  async publishBacklog(seed: number): Promise<void> {
    const engine = await this.startEngine()
    await eventually('the engine is ready', async () => (await engine.status()).ready, { withinMs })
    await engine.stop()
    const schemas = await readSchemas(join(shopFolder, 'schemas'))
    await publishAll(this.connection, generate(schemas, { seed, events, clock: Date.now }))
    this.#publishedAt = Date.now()
    const manager = await this.connection.jetstreamManager()
    this.#ends = await Promise.all(
      Array.from({ length: partitions }, async (_, partition) => {
        const last = await manager.streams.getMessage('EVENTS', { last_by_subj: `events.${partition}.*.*` })
        return last.seq
      }),
    )
  }

  async startEngine(): Promise<EngineProcess> {
    this.#engine = await EngineProcess.start(
      program,
      this.config,
      join(this.servers.folder, `engine-${++this.#starts}.log`),
    )
    return this.#engine
  }

  /** As nothing else ends a process: no handler runs. */
  async killEngine(): Promise<void> {
    const { pid } = this.#engine!
    process.kill(pid, 'SIGKILL')
    await eventually('the engine is gone', () => !isAlive(pid))
  }

  /** Resolves when this share of the backlog is committed. */
  async reached(share: number): Promise<void> {
    const wanted = share * events
    await eventually(
      `${Math.round(share * 100)} % are committed`,
      async () => {
        const { partitions } = await this.#engine!.status()
        return partitions.reduce((sum, { position }) => sum + position, 0) / partitions.length >= wanted
      },
      { withinMs },
    )
  }

  /** Waits until everything is done, then asks the oracle. Says in the error which partitions are halted. */
  async verdict(): Promise<Verdict> {
    const engine = this.#engine!
    await eventually(
      'the backlog is drained',
      async () => {
        const { partitions, halts } = await engine.status()
        if (halts.length > 0) throw new Error(JSON.stringify(halts))
        // Redis says what is done: an engine whose Redis was just replaced may not know yet.
        const stored = await Promise.all(partitions.map((_, p) => this.redis.hget(`mr:{shop:${p}}:meta`, 'position')))
        return partitions.every(({ isIdle }, p) => isIdle && Number(stored[p]) >= this.#ends[p]!)
      },
      { withinMs },
    )
    await untilStill(engine, this.#publishedAt)
    return consult({
      connection: this.connection,
      partitions,
      folder: shopFolder,
      readProfile: key => engine.profile(key),
    })
  }

  /** A counter of the engine that runs now. */
  async metric(name: string): Promise<number> {
    return (await this.#engine!.metrics()).get(name) ?? 0
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
