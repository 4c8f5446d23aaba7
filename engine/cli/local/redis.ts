/** A private redis-server that keeps what it acknowledges: append-only file, no eviction, a loopback port and a socket. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findServer, type ServerBinary } from './binaries.js'
import { ask, freePort } from './probe.js'
import { LocalServer } from './server.js'

export interface LocalRedisOptions {
  /** The server's files go below it; short, because a socket's path may have 107 bytes. */
  readonly folder: string
  /** Path of the program; otherwise it is looked for. */
  readonly binary?: string | undefined
  /** Default: a free one. */
  readonly port?: number | undefined
  /** Directives besides, or instead of, the usual ones: `{ 'maxmemory-policy': 'allkeys-lru' }`. */
  readonly config?: Readonly<Record<string, string>> | undefined
  readonly say?: ((line: string) => void) | undefined
}

/** Somebody else may take a free port first; that this happens often is not luck. */
const portAttempts = 5

export class LocalRedis extends LocalServer {
  private constructor(
    private readonly options: LocalRedisOptions,
    binary: ServerBinary,
    folder: string,
    readonly port: number,
  ) {
    super(binary, folder, {
      name: 'redis-server',
      arguments: [join(folder, 'redis.conf')],
      logFile: join(folder, 'redis.log'),
    })
  }

  /** Resolves when the server has loaded its files and answers. */
  static async start(options: LocalRedisOptions): Promise<LocalRedis> {
    const binary = await findServer('redis-server', { path: options.binary, ...(options.say && { say: options.say }) })
    const folder = join(options.folder, 'redis')
    await mkdir(folder, { recursive: true })
    for (let attempt = 1; ; attempt++) {
      const server = new LocalRedis(options, binary, folder, options.port ?? (await freePort()))
      try {
        await server.start()
        return server
      } catch (error) {
        const isTaken = error instanceof Error && /address already in use/i.test(error.message)
        if (!isTaken || options.port !== undefined || attempt === portAttempts) throw error
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Unix socket, for those on this machine. */
  get socket(): string {
    return join(this.folder, 's')
  }

  /** Again, after `stop` or `kill`: same port, same files. Arguments such as `--appendonly no` hold for this start only. */
  async start(...further: readonly string[]): Promise<void> {
    await writeFile(join(this.folder, 'redis.conf'), this.#configuration())
    await this.process.start(pid => this.#probe(pid), further)
  }

  #configuration(): string {
    const directives: Record<string, string> = {
      bind: '127.0.0.1',
      port: String(this.port),
      unixsocket: this.socket,
      unixsocketperm: '700',
      dir: this.folder,
      appendonly: 'yes',
      appendfsync: 'everysec',
      save: '""',
      'maxmemory-policy': 'noeviction',
      ...this.options.config,
    }
    return Object.entries(directives)
      .map(([name, value]) => `${name} ${value}\n`)
      .join('')
  }

  async #probe(pid: number): Promise<true | undefined> {
    const password = this.options.config?.requirepass
    const login = password === undefined ? '' : `AUTH ${password}\r\n`
    const answer = await ask(this.port, `${login}INFO\r\n`, /process_id:(\d+)\r\n[^]*loading:(\d)/)
    if (answer === undefined || answer[2] !== '0') return undefined
    // Not a wrong server for ever: the one that was spawned is about to exit because the port is taken.
    return Number(answer[1]) === pid ? true : undefined
  }
}
