/**
 * The demo: private servers, the real engine as its own process, a shop's events with everything that goes wrong in real
 * ones, and an oracle that works out what must have come of them.
 *
 *   generator      the events
 *   demo-publish   into the broker
 *   demo-engine    the engine's process
 *   demo-drain     until nothing is left to do
 *   oracle         was it right?
 *   report         the table
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect, type NatsConnection } from 'nats'
import { type LocalServers, startLocalServers } from '../../engine/cli/local/servers.js'
import { grouped, type ProgressBar, progressBar, type TextStream } from '../../engine/cli/terminal.js'
import { systemClock } from '../../engine/clock.js'
import { readSchemas } from './avro.js'
import { untilDrained, untilReady, untilStill } from './demo-drain.js'
import { EngineProcess } from './demo-engine.js'
import { publishAll } from './demo-publish.js'
import { generate } from './generator.js'
import { consult } from './oracle.js'
import { type DemoResult, isGood, report, summarize } from './report.js'

export interface DemoOptions {
  readonly events: number
  readonly seed: number
  /** Events a second; without it a backlog is published first and then drained. */
  readonly rate?: number | undefined
  /** How many people; default one for every 15 events. */
  readonly users?: number | undefined
  readonly json: boolean
  /** Leave servers and engine running. */
  readonly keep: boolean
}

export interface DemoIo {
  readonly stdout: TextStream
  readonly stderr: TextStream
}

const partitions = 16
/** A fresh process runs uncompiled code for its first seconds; the latency of a service is that after it. */
const warmUpMs = 3_000
/** Beside this file's source, wherever it was compiled to. */
const shopFolder = fileURLToPath(new URL('../../../examples/shop/', import.meta.url))
const program = fileURLToPath(new URL('../../engine/cli/main.js', import.meta.url))

/** Exit code: 0 when the oracle agrees, 1 when not. */
export async function runDemo(options: DemoOptions, { stdout, stderr }: DemoIo): Promise<0 | 1> {
  const say = (line: string) => void stderr.write(`${line}\n`)
  const servers = await startLocalServers({ nats: { partitions }, say })
  say(`nats-server ${servers.nats.version} and redis-server ${servers.redis.version} are up, in ${servers.folder}`)
  const demo = new Demo(options, servers, await writeConfig(servers), stderr)
  try {
    const result = await demo.run()
    stdout.write(options.json ? `${JSON.stringify(summarize(result))}\n` : `\n${report(result)}`)
    if (options.json && !isGood(result)) stderr.write(report(result))
    if (options.keep) say(demo.release())
    return isGood(result) ? 0 : 1
  } finally {
    await demo.stop()
  }
}

class Demo {
  readonly #bar: ProgressBar
  #engine: EngineProcess | undefined
  #isReleased = false

  constructor(
    private readonly options: DemoOptions,
    private readonly servers: LocalServers,
    private readonly config: string,
    stderr: TextStream,
  ) {
    this.#bar = progressBar(stderr, systemClock)
  }

  async run(): Promise<DemoResult> {
    const connection = await connect({ servers: this.servers.nats.url })
    try {
      return await (this.options.rate === undefined ? this.#backlog(connection) : this.#steady(connection))
    } finally {
      this.#bar.clear()
      await connection.close()
    }
  }

  /** Lets everything outlive this process; says how to look around. */
  release(): string {
    this.#isReleased = true
    this.#engine?.release()
    this.servers.release()
    return advice(this.servers, this.#engine!, this.config)
  }

  /** Ends what is not released. */
  async stop(): Promise<void> {
    if (this.#isReleased) return
    await this.#engine?.stop()
    await this.servers.stop()
  }

  /** The events first, then the engine. */
  async #backlog(connection: NatsConnection): Promise<DemoResult> {
    // The first start makes the streams, into which a backlog grows while no engine runs.
    const first = await this.#startEngine('engine-first')
    await untilReady(first)
    await first.stop()
    const publishedAt = await this.#publish(connection)
    const engine = await this.#startEngine('engine')
    return this.#judge(connection, engine, publishedAt, await this.#drain(engine), 0)
  }

  /** The engine first, then events at a pace. */
  async #steady(connection: NatsConnection): Promise<DemoResult> {
    const engine = await this.#startEngine('engine')
    await untilReady(engine)
    const startedAt = performance.now()
    const latencyFrom = Date.now() + warmUpMs
    const publishedAt = await this.#publish(connection)
    await this.#drain(engine)
    return this.#judge(connection, engine, publishedAt, performance.now() - startedAt, latencyFrom)
  }

  async #startEngine(log: string): Promise<EngineProcess> {
    this.#engine = await EngineProcess.start(program, this.config, join(this.servers.folder, `${log}.log`))
    return this.#engine
  }

  /** Gives the time at which the last event was stored. */
  async #publish(connection: NatsConnection): Promise<number> {
    const { events, seed, users, rate } = this.options
    const messages = generate(await readSchemas(join(shopFolder, 'schemas')), { seed, events, users, clock: Date.now })
    await publishAll(connection, messages, { rate, onProgress: done => this.#progress('published', done) })
    return Date.now()
  }

  async #drain(engine: EngineProcess): Promise<number> {
    return untilDrained(engine, this.options.events, done => this.#progress('processed', done))
  }

  async #judge(
    connection: NatsConnection,
    engine: EngineProcess,
    publishedAt: number,
    tookMs: number,
    latencyFrom: number,
  ): Promise<DemoResult> {
    await untilStill(engine, publishedAt)
    const verdict = await consult({
      connection,
      partitions,
      folder: shopFolder,
      readProfile: key => engine.profile(key),
      latencyFrom,
      onProgress: share => this.#bar.update(share, 'the oracle compares'),
    })
    const metrics = await engine.metrics()
    const counted = {
      events: metrics.get('millrace_events_total') ?? 0,
      applied: metrics.get('millrace_events_applied_total') ?? 0,
      duplicates: metrics.get('millrace_events_dropped_total{stage="dedupe",reason="duplicate"}') ?? 0,
    }
    const { events, rate } = this.options
    const eventsPerSecond = (events / tookMs) * 1000
    return { verdict, counted, rate, eventsPerSecond, rssMb: await engine.peakRssMb() }
  }

  #progress(what: string, done: number): void {
    const { events } = this.options
    this.#bar.update(done / events, `${what} ${grouped(done)} of ${grouped(events)}`)
  }
}

/** JSON is YAML. */
async function writeConfig({ folder, nats, redis }: LocalServers): Promise<string> {
  const file = join(folder, 'millrace.yaml')
  const config = {
    pipeline: join(shopFolder, 'pipeline.ts'),
    nats: { servers: [`127.0.0.1:${nats.port}`] },
    redis: { url: redis.socket },
    admin: { port: 0 },
  }
  await writeFile(file, `${JSON.stringify(config, null, 2)}\n`)
  return file
}

function advice({ folder, nats, redis }: LocalServers, engine: EngineProcess, config: string): string {
  const millrace = `node ${program}`
  return [
    '\nEverything is still running. To look around:',
    `  ${millrace} profile get u000001 --config ${config}`,
    `  ${millrace} deadletters list --config ${config}`,
    `  curl ${engine.url}/v1/profiles/u000001`,
    `  curl ${engine.url}/metrics`,
    `  redis-cli -s ${redis.socket}`,
    `  nats --server ${nats.url} stream ls`,
    'and in the end:',
    `  kill ${engine.pid} && sleep 1 && kill ${nats.pid} ${redis.pid} && sleep 1 && rm -r ${folder}`,
  ].join('\n')
}
