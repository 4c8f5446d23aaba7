/** A person at a drill of the runbook: types the commands of a section, in their order, on a pipeline in its folder. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { LocalRedis, LocalServers } from '../../engine/cli/local/servers.js'
import { EngineProcess } from '../../examples/shop/demo-engine.js'
import { Broker, type TestEvent } from './broker.js'
import { eventually } from './eventually.js'
import { redisClient } from './redis.js'
import { startServers } from './servers.js'
import { inOrder, SteadyLoad } from './steady-load.js'
import { idOf, visitPartitions } from './visits.js'

const main = fileURLToPath(new URL('../../engine/cli/main.js', import.meta.url))
const runbook = fileURLToPath(new URL('../../../deploy/runbook.md', import.meta.url))
/** For tests that need the runbook. */
export const skip = existsSync(runbook) ? false : 'the runbook is not here'

/** Of JavaScript: many processes load it, and none needs the translator. */
export const definitionFile = 'pipeline.mjs'

/** Text of a pipeline whose `seen` says by which rules it was decided. */
export const definition = (name: string, rules: number) => `
import { decodeJson, dedupe, events, pipeline } from 'millrace'
const { profile, count, sum } = events()
const visitor = profile('visitor', {
  traits: { visits: count('visit'), total: sum('visit', e => e.n * ${rules}) },
})
visitor.segment('active', p => p.visits >= 2)
visitor.trigger('seen', { on: 'visit', emit: (p, e) => ({ id: e.id, rules: ${rules} }) })
export default pipeline({
  name: '${name}',
  partitions: ${visitPartitions},
  stages: [decodeJson({ key: 'user' }), dedupe({ window: '1h' })],
  profile: visitor,
})
`

/** The commands of a section, without the program's name. Blocks in which `unlike` occurs are for another case. */
function commandsOf(section: string, unlike?: string): string[] {
  const text = readFileSync(runbook, 'utf8').split(`\n## ${section}\n`)[1]!.split('\n## ')[0]!
  const blocks = [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block]) => block!.trim())
  const lines = blocks
    .filter(block => unlike === undefined || !block.includes(unlike))
    .join('\n')
    .split('\n')
  return lines.map(line => line.replace(/^millrace /, ''))
}

/** How a command has ended. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A pipeline in its folder, and a person who goes through a section of the runbook. */
export class Drill {
  #left: string[] = []
  #engines = 0

  constructor(
    readonly t: Test,
    readonly servers: LocalServers,
    readonly broker: Broker,
    readonly folder: string,
    /** Past the engines. */
    readonly redis: Redis,
  ) {}

  static async prepare(t: Test, section?: string, unlike?: string): Promise<Drill> {
    const servers = await startServers(t, { nats: { partitions: visitPartitions } })
    const broker = await Broker.connect(t, servers.nats.url)
    const folder = t.testdir({ [definitionFile]: definition('visits', 1) })
    const drill = new Drill(t, servers, broker, folder, redisClient(t, servers.redis.url))
    await drill.configure('millrace.yaml', {})
    if (section !== undefined) drill.#left = commandsOf(section, unlike)
    return drill
  }

  /** Nothing of the section was left out. */
  done(): void {
    this.t.strictSame(this.#left, [], 'all commands of the section were run')
  }

  async configure(name: string, settings: object, redis: LocalRedis = this.servers.redis): Promise<void> {
    const config = {
      pipeline: definitionFile,
      nats: { servers: [`127.0.0.1:${this.servers.nats.port}`] },
      redis: { url: redis.socket },
      admin: { port: 0 },
      lease: { ttl: '1s' },
      ...settings,
    }
    await writeFile(join(this.folder, name), JSON.stringify(config))
  }

  /** Which may have to halt. */
  async startEngine(config = 'millrace.yaml'): Promise<EngineProcess> {
    const engine = await EngineProcess.start(
      main,
      join(this.folder, config),
      join(this.folder, `${++this.#engines}.log`),
    )
    this.t.teardown(() => engine.stop())
    return engine
  }

  /** Ready. */
  async engine(config = 'millrace.yaml'): Promise<EngineProcess> {
    const engine = await this.startEngine(config)
    await eventually('the engine is ready', async () => (await engine.status()).ready)
    return engine
  }

  /** The next command of the section, which must be this one; `expected` is its exit code. */
  async run(command: string, expected = 0): Promise<Ended> {
    this.#next(command)
    const ended = await this.attempt(command)
    this.t.equal(ended.code, expected, `millrace ${command}\n${ended.stderr}`)
    return ended
  }

  /** The next command of the section, until it ends with 0. */
  async runUntilDone(command: string): Promise<Ended> {
    this.#next(command)
    return this.untilDone(command)
  }

  /** The next command of the section, which is one for Redis, typed in its folder. Gives what Redis answers. */
  async runAtRedis(command: string): Promise<unknown> {
    this.#next(command)
    return this.#atRedis(command)
  }

  /** The next command of the section, until Redis answers with all of these. */
  async runAtRedisUntil(command: string, answers: readonly string[]): Promise<void> {
    this.#next(command)
    await eventually(`${command} shows ${answers.join(', ')}`, async () => {
      const answer = String(await this.#atRedis(command))
      return answers.every(one => answer.includes(one))
    })
  }

  untilDone(command: string): Promise<Ended> {
    return eventually(
      `millrace ${command} ends with 0`,
      async () => {
        const ended = await this.attempt(command)
        if (ended.code === 0) return ended
        throw new Error(ended.stdout + ended.stderr)
      },
      { everyMs: 200 },
    )
  }

  attempt(command: string): Promise<Ended> {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_')))
    const options = { cwd: this.folder, env, timeout: 30_000 }
    return new Promise(resolve => {
      const child = execFile(process.execPath, [main, ...command.split(' ')], options, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, stdout, stderr }),
      )
    })
  }

  async #atRedis(command: string): Promise<unknown> {
    const { redis } = this.servers
    const [program, ...words] = command.split(' ') as [string, ...string[]]
    // By its signal, which does the same: what has no answer the client would send to the next server, too.
    if (command === 'redis-cli SHUTDOWN') return redis.stop()
    if (program === 'redis-cli') return this.redis.call(...(words as [string, ...string[]]))
    // The first word is the configuration, which a private server has of its own.
    if (program === 'redis-server') return redis.start(...words.slice(1))
    return promisify(execFile)(program, words, { cwd: redis.folder })
  }

  #next(command: string): void {
    this.t.equal(command, this.#left.shift(), 'the next command of the section')
  }

  load(): SteadyLoad {
    return new SteadyLoad(this.t, this.broker.connection, events => this.broker.publish(...events))
  }

  /** What `seen` was published for, in stream order. */
  async seen(): Promise<{ id: string; rules: number; partition: number; position: number }[]> {
    const messages = await this.broker.read('TRIGGERS')
    return messages.map(({ subject, headers, json }) => ({
      ...json<{ data: { id: string; rules: number } }>().data,
      partition: Number(subject.split('.').at(-1)),
      position: Number(headers['Millrace-Position']!.split(':')[0]),
    }))
  }

  /** Each event has its trigger once, in order. */
  async seenOnce(sent: readonly TestEvent[]): Promise<void> {
    await eventually('all triggers are out', async () => (await this.broker.count('TRIGGERS')) >= sent.length)
    const ids = (await this.seen()).map(({ id }) => id)
    this.t.strictSame(ids.sort(), sent.map(idOf).sort(), 'each event triggered once')
    await inOrder(this.t, this.broker)
  }
}

/** Profiles as the engine serves them, without their ages. */
export async function profilesOf({ url }: EngineProcess, keys: readonly string[]): Promise<unknown[]> {
  return Promise.all(
    keys.map(async key => {
      const response = await fetch(`${url}/v1/profiles/${key}`)
      return JSON.parse(await response.text(), (name, value: unknown) =>
        name === 'ageMs' ? undefined : value,
      ) as unknown
    }),
  )
}
