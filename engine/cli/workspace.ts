/** What a verb that looks at a pipeline needs: its configuration, its definition, and connections when it asks for them. */
import { loadConfig, type Config } from '../config/config.js'
import { loadPipeline } from '../load-pipeline.js'
import { connectNats, type NatsConnection } from '../nats/connection.js'
import { Names } from '../nats/names.js'
import { commandPatience, Streams } from '../nats/streams.js'
import type { Pipeline } from '../pipeline.js'
import type { ProfileStore } from '../store.js'
import type { Services } from './services.js'

export interface WorkspaceOptions {
  readonly config?: string | undefined
  readonly pipeline?: string | undefined
}

export interface NatsLink {
  readonly connection: NatsConnection
  readonly streams: Streams
}

export class Workspace {
  #store: ProfileStore | undefined
  #nats: NatsLink | undefined

  private constructor(
    readonly config: Config,
    readonly pipeline: Pipeline,
    readonly folder: string,
    readonly names: Names,
    private readonly services: Services,
  ) {}

  /** Throws `config_invalid` or `pipeline_invalid` with every problem. */
  static async open(options: WorkspaceOptions, services: Services): Promise<Workspace> {
    const config = loadConfig({ file: options.config, env: services.io.env })
    const { pipeline, folder } = await loadPipeline(options.pipeline ?? config.pipeline)
    return new Workspace(config, pipeline, folder, new Names(config.streams), services)
  }

  /** Connected; opened once. The warnings are `verify`'s. */
  async store(): Promise<{ store: ProfileStore; warnings: string[] }> {
    this.#store ??= this.services.openStore(this.config, this.pipeline.name).at(this.config.generation)
    return { store: this.#store, warnings: await this.#store.verify() }
  }

  async nats(): Promise<NatsLink> {
    if (this.#nats === undefined) {
      const connection = await connectNats(this.config.nats, 'millrace command line')
      this.#nats = { connection, streams: await Streams.open(connection, true, commandPatience) }
    }
    return this.#nats
  }

  async close(): Promise<void> {
    await this.#nats?.connection.close()
    await this.#store?.close()
  }
}

/** Opens, works, closes whatever happens. */
export async function withWorkspace<T>(
  options: WorkspaceOptions,
  services: Services,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const workspace = await Workspace.open(options, services)
  try {
    return await work(workspace)
  } finally {
    await workspace.close()
  }
}
