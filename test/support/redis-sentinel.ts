/**
 * A private Redis under Sentinel on the loopback interface: a master, its replicas, and three sentinels that promote a replica
 * within about two seconds when the master is silent.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import { findServer } from '../../engine/cli/local/binaries.js'
import { ask, freePort } from '../../engine/cli/local/probe.js'
import { LocalProcess } from '../../engine/cli/local/process.js'
import { LocalRedis, type LocalRedisOptions } from '../../engine/cli/local/redis.js'
import { eventually } from './eventually.js'
import { allowReplication, followsMaster, roleOf, serverClient } from './redis-replication.js'
import { temporaryFolder, type TestScope } from './servers.js'

export interface RedisSentinelOptions extends Partial<Pick<LocalRedisOptions, 'folder' | 'binary'>> {
  /** Default 1. */
  readonly replicas?: number
  /** A master that is silent this long is taken for dead. Default 500 ms. */
  readonly downAfterMs?: number
}

export interface ReplicatedServer {
  readonly server: LocalRedis
  /** For commands to this very server, whatever its role. */
  readonly redis: Redis
}

export interface SentinelServer {
  readonly port: number
  readonly process: LocalProcess
  /** Again, after `process.kill`; it remembers what it knew. */
  readonly start: () => Promise<void>
  readonly redis: Redis
}

const masterName = 'profiles'
const sentinels = 3
const quorum = 2

export class RedisSentinels {
  readonly master = masterName

  constructor(
    readonly servers: readonly ReplicatedServer[],
    readonly sentinels: readonly SentinelServer[],
  ) {}

  /** `host:port` of every sentinel, as configurations want it. */
  get addresses(): string[] {
    return this.sentinels.map(({ port }) => `127.0.0.1:${port}`)
  }

  /** Whom the sentinels name. */
  async current(): Promise<ReplicatedServer> {
    return eventually('the sentinels agree', async () => {
      const named = await Promise.all(this.sentinels.map(({ redis }) => addressOf(redis)))
      if (new Set(named).size > 1) return undefined
      return this.servers.find(({ server }) => server.port === Number(named[0]))
    })
  }

  /** A server that is not the master. */
  async replica(): Promise<ReplicatedServer> {
    const master = await this.current()
    return this.servers.find(server => server !== master)!
  }

  /** Resolves when another server than `before` is master for the sentinels and for itself. */
  async promoted(before: ReplicatedServer): Promise<ReplicatedServer> {
    return eventually('another server is master', async () => {
      const master = await this.current()
      return master !== before && (await roleOf(master.redis)) === 'master' ? master : undefined
    })
  }

  /** Promotes a replica although the master is well, as before maintenance. What the replica has not seen is lost. */
  async failover(): Promise<ReplicatedServer> {
    const before = await this.current()
    // Refused while the sentinels are still busy with the failover before, or have not looked at the replica for a while.
    await eventually('a failover begins', () => this.sentinels[0]!.redis.call('SENTINEL', 'FAILOVER', masterName))
    return this.promoted(before)
  }

  /** Lets a server follow the master of now: after it was started again, or so that a failover back finds nothing missing. */
  async join(server: ReplicatedServer): Promise<void> {
    const master = await this.current()
    await allowReplication(server.redis)
    await server.redis.replicaof('127.0.0.1', master.server.port)
    await followsMaster(server.redis)
  }
}

/** Resolves when the sentinels know each other and the replicas, and those follow. Stopped at the test's end. */
export async function startRedisSentinels(t: TestScope, options: RedisSentinelOptions = {}): Promise<RedisSentinels> {
  const { replicas = 1, downAfterMs = 500, binary } = options
  const folder = options.folder ?? (await temporaryFolder(t))
  const servers = await Promise.all(
    Array.from({ length: 1 + replicas }, (_, i) => startServer(t, { folder: join(folder, `redis-${i}`), binary })),
  )
  const [master, ...others] = servers as [ReplicatedServer, ...ReplicatedServer[]]
  await Promise.all(others.map(({ redis }) => redis.replicaof('127.0.0.1', master.server.port)))
  await Promise.all(others.map(({ redis }) => followsMaster(redis)))

  const known = await Promise.all(
    Array.from({ length: sentinels }, async () => ({ port: await freePort(), id: randomBytes(20).toString('hex') })),
  )
  // What sentinels find out within some seconds and then write into their files themselves.
  const common = [
    `sentinel monitor ${masterName} 127.0.0.1 ${master.server.port} ${quorum}`,
    `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
    // A second failover may follow after twice this.
    `sentinel failover-timeout ${masterName} 1000`,
    ...others.map(({ server }) => `sentinel known-replica ${masterName} 127.0.0.1 ${server.port}`),
  ]
  const running = await Promise.all(
    known.map(({ port, id }, i) => {
      const peers = known
        .filter(peer => peer.id !== id)
        .map(peer => `sentinel known-sentinel ${masterName} 127.0.0.1 ${peer.port} ${peer.id}`)
      const lines = [`port ${port}`, 'bind 127.0.0.1', `sentinel myid ${id}`, ...common, ...peers]
      return startSentinel(t, { folder: join(folder, `redis-sentinel-${i}`), binary }, port, lines)
    }),
  )
  const all = new RedisSentinels(servers, running)
  for (const { redis } of running) {
    await eventually('a sentinel can act', async () => {
      return String(await redis.call('SENTINEL', 'CKQUORUM', masterName)).startsWith('OK')
    })
  }
  return all
}

async function startServer(
  t: TestScope,
  place: Pick<LocalRedisOptions, 'folder' | 'binary'>,
): Promise<ReplicatedServer> {
  const server = await LocalRedis.start({ ...place, config: { 'repl-diskless-sync-delay': '0' } })
  t.teardown(() => server.stop())
  return { server, redis: serverClient(t, server.url) }
}

async function startSentinel(
  t: TestScope,
  { folder, binary }: Pick<LocalRedisOptions, 'folder' | 'binary'>,
  port: number,
  lines: readonly string[],
): Promise<SentinelServer> {
  const { path, environment } = await findServer('redis-server', { path: binary })
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'sentinel.conf')
  await writeFile(file, [...lines, `dir ${folder}`, ''].join('\n'))
  const process = new LocalProcess({
    name: 'redis-sentinel',
    command: path,
    arguments: [file, '--sentinel'],
    environment,
    logFile: join(folder, 'sentinel.log'),
  })
  const start = async (): Promise<void> => {
    await process.start(async pid => {
      const answer = await ask(port, 'INFO server\r\n', /process_id:(\d+)\r\n/)
      return answer !== undefined && Number(answer[1]) === pid ? true : undefined
    })
  }
  await start()
  t.teardown(() => process.stop())
  return { port, process, start, redis: serverClient(t, `redis://127.0.0.1:${port}`) }
}

async function addressOf(sentinel: Redis): Promise<string | undefined> {
  const address = await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName)
  return (address as string[] | null)?.[1]
}
