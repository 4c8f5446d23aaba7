/** The engine's configuration as a benchmark uses it: the defaults, private servers, an admin port of its own. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../engine/cli/local/probe.js'

export interface EngineServers {
  readonly natsUrl: string
  readonly redisUrl: string
  readonly pipelineFile: string
  /** The file goes here. */
  readonly folder: string
}

export interface EngineFile {
  readonly configFile: string
  readonly adminPort: number
}

/** Writes a file for `millrace run --config`. */
export async function writeEngineFile({ natsUrl, redisUrl, pipelineFile, folder }: EngineServers): Promise<EngineFile> {
  const configFile = join(folder, 'millrace.json')
  const adminPort = await freePort()
  const settings = {
    pipeline: pipelineFile,
    nats: { servers: [natsUrl.replace('nats://', '')] },
    redis: { url: redisUrl },
    admin: { port: adminPort },
    log: { level: 'warn' },
  }
  await writeFile(configFile, JSON.stringify(settings))
  return { configFile, adminPort }
}
