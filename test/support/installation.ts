/** An installation of a small pipeline, and the real program run on it. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LocalServers } from '../../engine/cli/local/servers.js'
import type { TestEvent } from './broker.js'
import type { TestScope } from './servers.js'

export const main = fileURLToPath(new URL('../../engine/cli/main.js', import.meta.url))
export const partitions = 4

export const pipelineText = `
import { decodeJson, dedupe, events, pipeline, validate } from 'millrace'
const { profile, count } = events()
export default pipeline({
  name: 'visits',
  partitions: ${partitions},
  stages: [
    decodeJson({ key: 'user' }),
    validate({ rules: { positive: event => event.value.n > 0 } }, 'plausible'),
    dedupe({ window: '1h' }),
  ],
  profile: profile('visitor', { traits: { visits: count('visit') } }),
})
`
export const visitOf = (user: string): TestEvent => ({ type: 'visit', key: user, payload: { user, n: 1 } })

/** Nobody listens on port 1. */
export const nowhere = { nats: { servers: ['127.0.0.1:1'] }, redis: { url: 'redis://127.0.0.1:1' } }

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A folder with a definition and a configuration; gives what runs the program on them. */
export function installation(
  t: TestScope & { testdir(files: Record<string, string>): string },
  settings: object = nowhere,
  definition = pipelineText,
) {
  const folder = t.testdir({
    'pipeline.mjs': definition,
    'millrace.yaml': JSON.stringify({ pipeline: 'pipeline.mjs', admin: { port: 0 }, ...settings }),
  })
  const config = join(folder, 'millrace.yaml')
  return {
    folder,
    config,
    millrace: (...args: string[]) => execute(['--config', config, ...args]),
  }
}

/** Settings in this environment may be those of a real installation. */
export function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_')))
}

/** To the end, with pipes instead of a terminal. */
export function execute(args: readonly string[], encoding: BufferEncoding = 'utf8'): Promise<Ended> {
  return new Promise(resolve => {
    const options = { env: environment(), timeout: 30_000, encoding }
    const child = execFile(process.execPath, [main, ...args], options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

export function at({ nats, redis }: LocalServers): object {
  return { nats: { servers: [`127.0.0.1:${nats.port}`] }, redis: { url: redis.socket } }
}

export function rows(stdout: string): Record<string, unknown>[] {
  const lines = stdout.split('\n').filter(line => line !== '')
  return lines.map(line => JSON.parse(line) as Record<string, unknown>)
}
