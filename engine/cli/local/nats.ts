/** A private nats-server with JetStream: a free loopback port, everything it stores in one folder. */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findCurrentNats, findServer, type ServerBinary } from './binaries.js'
import { ask } from './probe.js'
import { LocalServer } from './server.js'
import { isAtLeast } from '../../version.js'

/** Which server to start when no path is given: the one that is installed, or a current one beside it. */
export type NatsRelease = 'installed' | 'current'

export interface LocalNatsOptions {
  /** The server's files go below it. */
  readonly folder: string
  /** Path of the program; otherwise it is looked for. */
  readonly binary?: string | undefined
  /** Default `installed`. */
  readonly release?: NatsRelease | undefined
  /** Partitions of the account mapping that servers before 2.10 need. Default 16. */
  readonly partitions?: number | undefined
  /** Default: a free one. */
  readonly port?: number | undefined
  /** False: a server without JetStream. */
  readonly jetStream?: boolean | undefined
  /** Further lines of the server's configuration. */
  readonly config?: string | undefined
  readonly say?: ((line: string) => void) | undefined
}

/** Before this, streams cannot transform subjects, and the account maps them instead. */
const subjectTransformSince = '2.10.0'

/** Line of the configuration that gives events their partition, where a stream cannot. */
export function accountMapping(partitions: number): string {
  return `mappings = { "events.*.*.*": "events.{{partition(${partitions},3)}}.{{wildcard(1)}}.{{wildcard(2)}}" }`
}

export class LocalNats extends LocalServer {
  /** A server answers with its name, so one that was found on this port by accident is noticed. */
  readonly #serverName = `millrace-${randomUUID()}`
  #port: number

  private constructor(
    private readonly options: LocalNatsOptions,
    binary: ServerBinary,
    folder: string,
  ) {
    super(binary, folder, {
      name: 'nats-server',
      arguments: ['--config', join(folder, 'nats.conf')],
      logFile: join(folder, 'nats.log'),
    })
    this.#port = options.port ?? -1
  }

  /** Resolves when the server accepts clients and JetStream has recovered its store. */
  static async start(options: LocalNatsOptions): Promise<LocalNats> {
    const say = options.say && { say: options.say }
    const isCurrent = options.binary === undefined && options.release === 'current'
    const binary = await (isCurrent
      ? findCurrentNats({ ...say })
      : findServer('nats-server', { path: options.binary, ...say }))
    const folder = join(options.folder, 'nats')
    await mkdir(folder, { recursive: true })
    const server = new LocalNats(options, binary, folder)
    await server.start()
    return server
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`
  }

  /** Again, after `stop` or `kill`: same port, same store. */
  async start(): Promise<void> {
    await writeFile(join(this.folder, 'nats.conf'), this.#configuration())
    this.#port = await this.process.start(pid => this.#probe(pid))
  }

  #configuration(): string {
    const { partitions = 16, jetStream = true, config = '' } = this.options
    const lines = [
      `server_name: ${JSON.stringify(this.#serverName)}`,
      `listen: "127.0.0.1:${this.#port}"`,
      `ports_file_dir: ${JSON.stringify(this.folder)}`,
    ]
    // Limits are reservations: a stream's max_bytes counts whether it is used or not, so they must not come from a small disk.
    if (jetStream) lines.push(`jetstream { store_dir: ${JSON.stringify(this.folder)}, max_file_store: 1TB }`)
    if (!isAtLeast(this.version, subjectTransformSince)) {
      lines.push(accountMapping(partitions))
    }
    return [...lines, config, ''].join('\n')
  }

  /** The server writes `<program>_<pid>.ports` when it listens; its greeting then carries the name it was given. */
  async #probe(pid: number): Promise<number | undefined> {
    const file = join(this.folder, `${this.binary.path.split('/').at(-1)}_${pid}.ports`)
    const written = await readFile(file, 'utf8').catch(() => '')
    const port = /nats:\/\/127\.0\.0\.1:(\d+)/.exec(written)?.[1]
    if (port === undefined) return undefined
    const greeting = await ask(Number(port), '', /^INFO (\{.*\})\s*\r\n/)
    if (greeting === undefined) return undefined
    const { server_name: name } = JSON.parse(greeting[1]!) as { server_name: string }
    if (name !== this.#serverName) throw new Error(`another nats-server, "${name}", answers on port ${port}`)
    return Number(port)
  }
}
