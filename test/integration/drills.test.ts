/**
 * The drills of the runbook, done with the real command line on real servers. Each runs the commands of its section, in their
 * order, so that what people will type is what was tried.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'
import { EngineProcess } from '../../examples/shop/demo-engine.js'
import type { LocalRedis, LocalServers } from '../../engine/cli/local-servers.js'
import { Broker, type TestEvent } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { backUp, restore } from '../support/redis.js'
import { startRedis, startServers } from '../support/servers.js'
import { inOrder, SteadyLoad } from '../support/steady-load.js'
import { idOf, visit, visitPartitions } from '../support/visits.js'
import { users, visitsOf } from '../support/world.js'

const main = fileURLToPath(new URL('../../engine/cli/main.js', import.meta.url))
const runbook = fileURLToPath(new URL('../../../deploy/runbook.md', import.meta.url))
const skip = existsSync(runbook) ? false : 'the runbook is not here'

/** `seen` says by which rules it was decided. */
const definition = (name: string, rules: number) => `
import { decodeJson, dedupe, events, pipeline } from 'millrace'
const { profile, count, sum } = events<{ visit: { id: string; user: string; n: number } }>()
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

/** The commands of a section, without the program's name. */
function commandsOf(section: string): string[] {
  const text = readFileSync(runbook, 'utf8').split(`\n## ${section}\n`)[1]!.split('\n## ')[0]!
  const blocks = [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, block]) => block!.trim().split('\n'))
  return blocks.map(line => line.replace(/^millrace /, ''))
}

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A pipeline in its folder, and a person who goes through a section of the runbook. */
class Drill {
  #left: string[] = []

  constructor(
    readonly t: Test,
    readonly servers: LocalServers,
    readonly broker: Broker,
    readonly folder: string,
  ) {}

  static async prepare(t: Test, section?: string): Promise<Drill> {
    const servers = await startServers(t, { nats: { partitions: visitPartitions } })
    const broker = await Broker.connect(t, servers.nats.url)
    const drill = new Drill(t, servers, broker, t.testdir({ 'pipeline.ts': definition('visits', 1) }))
    await drill.configure('millrace.yaml', {})
    if (section !== undefined) drill.open(section)
    return drill
  }

  open(section: string): void {
    this.#left = commandsOf(section)
  }

  /** Nothing of the section was left out. */
  done(): void {
    this.t.strictSame(this.#left, [], 'all commands of the section were run')
  }

  async configure(name: string, settings: object, redis: LocalRedis = this.servers.redis): Promise<void> {
    const config = {
      nats: { servers: [`127.0.0.1:${this.servers.nats.port}`] },
      redis: { url: redis.socket },
      admin: { port: 0 },
      lease: { ttl: '1s' },
      ...settings,
    }
    await writeFile(join(this.folder, name), JSON.stringify(config))
  }

  async engine(config = 'millrace.yaml'): Promise<EngineProcess> {
    const engine = await EngineProcess.start(main, join(this.folder, config), join(this.folder, `${config}.log`))
    this.t.teardown(() => engine.stop())
    await eventually('the engine is ready', async () => (await engine.status()).ready)
    return engine
  }

  /** The next command of the section, which must be this one; `expected` is its exit code. */
  async run(command: string, expected = 0): Promise<Ended> {
    this.t.equal(command, this.#left.shift(), 'the next command of the section')
    const ended = await this.attempt(command)
    this.t.equal(ended.code, expected, `millrace ${command}\n${ended.stderr}`)
    return ended
  }

  /** The next command of the section, until it ends with 0. */
  async runUntilDone(command: string): Promise<Ended> {
    this.t.equal(command, this.#left.shift(), 'the next command of the section')
    return this.untilDone(command)
  }

  untilDone(command: string): Promise<Ended> {
    return eventually(`millrace ${command} ends with 0`, async () => {
      const ended = await this.attempt(command)
      if (ended.code === 0) return ended
      throw new Error(ended.stdout + ended.stderr)
    })
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
async function profilesOf({ url }: EngineProcess, keys: readonly string[]): Promise<unknown[]> {
  return Promise.all(
    keys.map(async key => {
      const response = await fetch(`${url}/v1/profiles/${key}`)
      return JSON.parse(await response.text(), (name, value: unknown) =>
        name === 'ageMs' ? undefined : value,
      ) as unknown
    }),
  )
}

/** Positions at which the partitions were switched, by what the command said. */
function switchedAt({ stdout }: Ended): number[] {
  return [...stdout.matchAll(/^partition \d+: generation 2 goes on after position (\d+)$/gm)].map(([, at]) =>
    Number(at),
  )
}

const quiet = Array.from({ length: 12 }, (_, i) => `quiet-${i}`)

test('resume after a loss: the stream was recreated', { skip }, async t => {
  const drill = await Drill.prepare(t, 'Resume after a loss')
  const { broker } = drill
  const engine = await drill.engine()
  const before = visitsOf(40)
  await broker.publish(...before)
  await drill.seenOnce(before)
  const { config } = await broker.manager.streams.info('EVENTS')
  await broker.manager.streams.delete('EVENTS')
  await broker.manager.streams.add(config)
  const after = visitsOf(20)
  await broker.publish(...after)
  await eventually('all are halted', async () => (await engine.status()).halts.length === visitPartitions)

  const list = await drill.run('partitions list', 1)
  t.equal(list.stdout.match(/halt: stream_recreated/g)?.length, visitPartitions)
  const refused = await drill.run('partitions resume --all', 1)
  t.match(refused.stderr, /^partition 0: stream_recreated: /m)
  t.equal((await drill.seen()).length, 40, 'nothing has changed')
  await drill.run('partitions resume --all --accept-loss')
  await eventually('the engine is ready', async () => (await engine.status()).ready)
  await drill.run('partitions list')
  await drill.seenOnce([...before, ...after])
  t.match(await profilesOf(engine, users), Array(users.length).fill({ traits: { visits: { value: 3 } } }))
  drill.done()
})

test('restore Redis from a backup', { skip }, async t => {
  const drill = await Drill.prepare(t, 'Restore Redis from a backup')
  const { broker, servers } = drill
  const engine = await drill.engine()
  const before = visitsOf(60)
  await broker.publish(...before)
  await drill.seenOnce(before)
  const backup = await backUp(servers.redis, 'drill')
  const after = visitsOf(40)
  await broker.publish(...after)
  await drill.seenOnce([...before, ...after])

  await restore(servers.redis, backup)
  await eventually('the engine is ready', async () => (await engine.status()).ready)
  await drill.run('partitions list')
  const expected = Array(users.length).fill({ traits: { visits: { value: 5 } } }) as unknown[]
  await eventually('it has caught up', async () => {
    const profiles = (await profilesOf(engine, users)) as { traits: { visits: { value: number } } }[]
    return profiles.every(({ traits }) => traits.visits.value === 5)
  })
  t.match(await profilesOf(engine, users), expected)
  await drill.seenOnce([...before, ...after])

  // The same backup, now older than the stream.
  await broker.manager.streams.purge('EVENTS', { keep: 10 })
  await restore(servers.redis, backup)
  const list = await eventually('it is halted', async () => {
    const ended = await drill.attempt('partitions list')
    return ended.code === 1 && ended
  })
  t.match(list.stdout, 'halt: events_lost')
  drill.done()
})

test('rebuild the profiles: the same ones, and no trigger lost or repeated', { skip }, async t => {
  const drill = await Drill.prepare(t, 'Rebuild the profiles')
  const { broker } = drill
  const first = await drill.engine()
  const silent = [...quiet, ...quiet].map(user => visit(user))
  await broker.publish(...silent)
  const load = drill.load()
  await load.goesOn()
  const before = await profilesOf(first, quiet)

  await drill.configure('next.yaml', { generation: 2 })
  const second = await drill.engine('next.yaml')
  await drill.runUntilDone('-c next.yaml rebuild status')
  await drill.run('-c next.yaml rebuild switch')
  t.equal((await drill.untilDone('-c next.yaml rebuild switch')).stderr, '', 'it may be repeated')
  const status = await eventually('it is in force', async () => {
    const ended = await drill.attempt('-c next.yaml rebuild status')
    return ended.stdout.match(/in force/g)?.length === visitPartitions && ended
  })
  t.equal(status.code, 0)
  await drill.run('-c next.yaml rebuild status')
  await load.goesOn()
  await first.stop()
  const early = await drill.attempt('-c next.yaml rebuild drop --generation 2')
  t.equal(early.code, 1, 'what is in force is not deleted')
  t.match(
    (await drill.run('-c next.yaml rebuild drop --generation 1')).stdout,
    /^generation 1: [1-9]\d* keys deleted$/m,
  )
  await load.goesOn()
  await load.stop()
  await drill.seenOnce([...silent, ...load.sent])
  t.strictSame(await profilesOf(second, quiet), before, 'profiles without new events are the same')
  const visitsEach = load.sent.length / users.length
  t.match(
    await profilesOf(second, users),
    Array(users.length).fill({ traits: { visits: { value: visitsEach }, total: { value: visitsEach } } }),
  )
  t.match((await drill.attempt('partitions list')).stdout, /sealed/, 'the seal stays')
  drill.done()
})

test('a rebuild that is given up leaves nothing, and can be begun again', { skip }, async t => {
  const drill = await Drill.prepare(t)
  await drill.engine()
  await drill.broker.publish(...visitsOf(40))
  await drill.configure('next.yaml', { generation: 2 })
  const second = await drill.engine('next.yaml')
  await drill.untilDone('-c next.yaml rebuild status')
  const refused = await drill.attempt('rebuild drop --generation 2')
  t.equal(refused.code, 1, 'an engine is building it')
  t.match(refused.stderr, /is building it/)
  await second.stop()
  const behind = await drill.attempt('-c next.yaml rebuild switch')
  t.equal(behind.code, 1, 'nobody would go on')
  t.equal((await drill.attempt('rebuild drop --generation 2')).code, 0)
  await drill.configure('next.yaml', { generation: 2, pipeline: 'other.ts' })
  await writeFile(join(drill.folder, 'other.ts'), definition('visits', 2))
  await drill.engine('next.yaml')
  await drill.untilDone('-c next.yaml rebuild status')
})

test('move to a changed definition, while events keep coming', { skip }, async t => {
  const drill = await Drill.prepare(t, 'Move to a changed definition')
  const first = await drill.engine()
  const load = drill.load()
  await load.goesOn()

  await writeFile(join(drill.folder, 'pipeline-next.ts'), definition('visits', 2))
  await drill.configure('next.yaml', { generation: 2, pipeline: 'pipeline-next.ts' })
  await drill.run('-c next.yaml check')
  const second = await drill.engine('next.yaml')
  const refused = await drill.attempt('-c next.yaml rebuild switch --max-lag 0')
  if (refused.code !== 0) t.match(refused.stderr, 'nothing was switched')
  await drill.runUntilDone('-c next.yaml rebuild status')
  const positions = switchedAt(await drill.run('-c next.yaml rebuild switch'))
  t.equal(positions.length, visitPartitions)
  await load.goesOn()
  t.match((await drill.run('-c next.yaml rebuild status')).stdout, /in force/)
  await first.stop()
  await drill.run('-c next.yaml rebuild drop --generation 1')
  await load.goesOn()
  await load.stop()
  await drill.seenOnce(load.sent)
  const decided = await drill.seen()
  for (const rules of [1, 2]) t.ok(decided.some(one => one.rules === rules))
  const wrong = decided.filter(({ rules, partition, position }) => rules !== (position > positions[partition]! ? 2 : 1))
  t.strictSame(wrong, [], 'the old rules decide up to the switch, the new ones after it')

  const redis = await startRedis(t)
  const streams = { triggers: 'T', suppressed: 'S', segments: 'G', deadletters: 'D' }
  await writeFile(join(drill.folder, 'fresh.ts'), definition('fresh', 2))
  await drill.configure('fresh.yaml', { pipeline: 'fresh.ts', streams }, redis)
  const fresh = await drill.engine('fresh.yaml')
  await eventually(
    'it has counted all',
    async () => (await fresh.metrics()).get('millrace_events_total') === load.sent.length,
  )
  t.strictSame(await profilesOf(second, users), await profilesOf(fresh, users), 'as if it had always been in force')
  drill.done()
})
