/** An event that kills the process is found and set aside, while everything else goes on. Real processes, killed for real. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'
import type { LocalServers } from '../../engine/cli/local/servers.js'
import { Broker, type TestEvent } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { redisClient } from '../support/redis.js'
import { startServers } from '../support/servers.js'
import { idOf, userOf, visit, visitPartitions } from '../support/visits.js'

const main = fileURLToPath(new URL('../../engine/cli/main.js', import.meta.url))

/** Each of these steps waits for several deaths and takeovers. */
const patience = { withinMs: 45_000 }

/** What a marked event does in an operator and in a trait, and what an alarm does half a second later. */
interface Weapons {
  readonly stage?: string
  readonly trait?: string
  readonly timer?: string
}

const definition = ({ stage = '', trait = '', timer = '' }: Weapons = {}): string => `
import { decodeJson, defineOperator, events, pipeline } from 'millrace'
const { profile, count, last } = events()
const check = defineOperator({
  name: 'check',
  summary: 'Kills where told to.',
  options: {},
  create: () => ({
    process: event => {
      if (event.value.note === 'deadly') { ${stage} }
      return event
    },
  }),
})
const visitor = profile('visitor', {
  traits: {
    visits: count('visit'),
    note: last('visit', e => {
      if (e.note === 'deadly') { ${trait} }
      return e.note
    }),
  },
})
visitor.trigger('overdue', { on: 'alarm', after: '500ms', emit: () => { ${timer}; return {} } })
visitor.trigger('seen', { on: 'visit', emit: (p, e) => ({ id: e.id, visits: p.visits }) })
export default pipeline({
  name: 'visits',
  partitions: ${visitPartitions},
  stages: [decodeJson({ key: 'user' }), check()],
  profile: visitor,
})
`

/** A replica that is started again whenever it dies, as an orchestrator does. */
class Replica {
  readonly logFile: string
  deaths = 0
  #child: ChildProcess | undefined
  #isOver = false

  constructor(
    private readonly config: string,
    private readonly name: string,
    folder: string,
  ) {
    this.logFile = join(folder, `${name}.log`)
    void this.#run()
  }

  get log(): string {
    return readFileSync(this.logFile, 'utf8')
  }

  /** Another definition is deployed. */
  correct(pipeline: string): void {
    writeFileSync(join(dirname(this.config), 'pipeline.mjs'), pipeline)
    this.#child!.kill('SIGTERM')
  }

  async end(): Promise<void> {
    this.#isOver = true
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const log = openSync(this.logFile, 'a')
      this.#child = spawn(process.execPath, [main, 'run', '--config', this.config], {
        stdio: ['ignore', log, log],
        env: { ...withoutSettings(), NODE_OPTIONS: '--max-old-space-size=96', MILLRACE_REPLICA_NAME: this.name },
      })
      closeSync(log)
      await once(this.#child, 'exit')
      if (!this.#isOver) this.deaths++
    }
  }
}

/** Settings in this environment may be those of a real installation. */
function withoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_')))
}

function replicas(
  t: Test,
  servers: LocalServers,
  names: readonly string[],
  pipeline: string,
  watchdog: string,
): Replica[] {
  const folder = t.testdir({
    'pipeline.mjs': pipeline,
    'millrace.yaml': JSON.stringify({
      pipeline: 'pipeline.mjs',
      admin: { port: 0 },
      nats: { servers: [`127.0.0.1:${servers.nats.port}`] },
      redis: { url: servers.redis.socket },
      batch: { maxEvents: 60 },
      lease: { ttl: '1s' },
      watchdog: { timeout: watchdog },
    }),
  })
  return names.map(name => {
    const replica = new Replica(join(folder, 'millrace.yaml'), name, folder)
    t.teardown(() => replica.end())
    return replica
  })
}

/** Visits of each partition in turn. */
function visitsTo(partitions: readonly number[], each: number): TestEvent[] {
  return Array.from({ length: each * partitions.length }, (_, i) => visit(userOf(partitions[i % partitions.length]!)))
}

/** Per user, in stream order: ids of the visits that were counted, and what the count was at each. */
async function counted(broker: Broker): Promise<Map<string, { ids: string[]; visits: number[] }>> {
  const found = new Map<string, { ids: string[]; visits: number[] }>()
  for (const trigger of await broker.read('TRIGGERS')) {
    const { key, data } = trigger.json<{ key: string; data: { id: string; visits: number } }>()
    const user = found.get(key) ?? { ids: [], visits: [] }
    user.ids.push(data.id)
    user.visits.push(data.visits)
    found.set(key, user)
  }
  return found
}

async function streamsExist(broker: Broker): Promise<void> {
  await eventually('the streams exist', async () => (await broker.count('DEADLETTERS')) === 0, { withinMs: 30_000 })
}

const all = Array.from({ length: visitPartitions }, (_, partition) => partition)
const [, ...innocent] = all

for (const { what, stage = '', trait = '', names, watchdog, lastWords } of [
  {
    what: 'loops for ever in an operator',
    stage: 'for (;;);',
    names: ['one', 'two'],
    watchdog: '1s',
    lastWords: 'event loop is blocked, the process ends',
  },
  {
    what: 'exhausts memory in a trait',
    trait: 'for (const heap = []; ; ) heap.push(new Array(1000).fill(heap.length + 0.5))',
    names: ['one'],
    watchdog: '0s',
    lastWords: 'JavaScript heap out of memory',
  },
]) {
  test(`an event that ${what} is set aside, every other one counts once, other partitions go on meanwhile`, async t => {
    const servers = await startServers(t, { nats: { partitions: visitPartitions } })
    const broker = await Broker.connect(t, servers.nats.url)
    const running = replicas(t, servers, names, definition({ stage, trait }), watchdog)
    await streamsExist(broker)

    const deadly = { ...visit(userOf(0), { note: 'deadly' }), headers: { 'Trace-Id': 'abc' } }
    const early = visitsTo(all, 40)
    const middle = 101
    await broker.publish(...early.slice(0, middle), deadly, ...early.slice(middle))
    await eventually('a process has died', () => running.some(({ deaths }) => deaths > 0), { withinMs: 30_000 })

    const late = visitsTo(innocent, 10)
    await broker.publish(...late)
    await eventually(
      'the other partitions have gone on',
      async () => {
        const users = await counted(broker)
        return innocent.every(partition => users.get(userOf(partition))?.ids.length === 50)
      },
      patience,
    )
    t.equal(await broker.count('DEADLETTERS'), 0, 'before the event was found')

    const sent = [...early, ...late]
    await eventually('all others are counted', async () => (await broker.count('TRIGGERS')) >= sent.length, patience)
    await eventually('the event is set aside', async () => (await broker.count('DEADLETTERS')) > 0, patience)
    const [letter, ...more] = await broker.read('DEADLETTERS')
    t.strictSame(more, [])
    t.equal(letter!.subject, 'deadletters.profile.event_kills.0')
    t.equal(letter!.bytes.toString(), JSON.stringify(deadly.payload))
    t.match(letter!.headers, {
      'Millrace-Stage': 'profile',
      'Millrace-Reason': 'event_kills',
      'Millrace-Sequence': String(middle + 1),
      'Trace-Id': 'abc',
    })
    const users = await counted(broker)
    for (const partition of all) {
      const user = userOf(partition)
      const ids = sent.filter(({ key }) => key === user).map(idOf)
      t.strictSame(users.get(user), { ids, visits: ids.map((_, i) => i + 1) }, user)
    }
    t.match(running.map(({ log }) => log).join(''), lastWords)
    const deaths = running.reduce((sum, replica) => sum + replica.deaths, 0)
    // Without a record, then with one of 60, of 7, of 1 and of 1 again.
    t.ok(deaths >= 5, `${deaths} deaths`)
  })
}

test('a timer that kills blames no event, and its partition goes on when the definition is corrected', async t => {
  const servers = await startServers(t, { nats: { partitions: visitPartitions } })
  const broker = await Broker.connect(t, servers.nats.url)
  const redis = redisClient(t, servers.redis.url)
  const [replica] = replicas(t, servers, ['one'], definition({ timer: 'for (;;);' }), '1s')
  await streamsExist(broker)
  await broker.publish(visit(userOf(0), { type: 'alarm' }))
  await eventually('a process has died', () => replica!.deaths > 0, patience)
  const sent = visitsTo(all, 20)
  await broker.publish(...sent)
  await eventually(
    'the timer alone is blamed, again and again',
    async () => {
      return /^\d+:0:[2-9]$/.test((await redis.hget('mr:{visits:0}:meta', 'trial')) ?? '')
    },
    patience,
  )
  await eventually(
    'the other partitions have gone on',
    async () => {
      return (await broker.count('TRIGGERS')) === innocent.length * 20
    },
    patience,
  )

  replica!.correct(definition())
  await eventually(
    'the timer has fired, and all are counted',
    async () => {
      return (await broker.count('TRIGGERS')) === sent.length + 1
    },
    patience,
  )
  t.equal(await broker.count('DEADLETTERS'), 0)
  const names = (await broker.read('TRIGGERS')).map(({ subject }) => subject)
  t.equal(names.filter(name => name === 'triggers.overdue.0').length, 1)
})

test('a process that was stopped for longer than the timeout of its watchdog lives on', async t => {
  const watchdog = JSON.stringify(new URL('../../engine/watchdog.js', import.meta.url).href)
  const log = JSON.stringify(new URL('../../engine/log.js', import.meta.url).href)
  const program = `
    import { startWatchdog } from ${watchdog}
    import { silentLog } from ${log}
    startWatchdog(1000, silentLog)
    setInterval(() => process.stdout.write('.'), 50)
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let signs = 0
  child.stdout.on('data', () => signs++)
  await eventually('it lives', () => signs > 0)
  child.kill('SIGSTOP')
  const stoppedAt = performance.now()
  await eventually('the timeout has passed twice', () => performance.now() - stoppedAt > 2_000)
  child.kill('SIGCONT')
  const before = signs
  await eventually('it lives for longer than the timeout', () => signs > before + 30 || child.signalCode !== null)
  t.equal(child.signalCode, null)
})
