/**
 * A run that is told step by step what happens, for faults whose outcome depends on when they come. It takes over from the
 * random run what decides right and wrong: the workload, the oracle and the violations.
 */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { eventually } from '../../support/eventually.js'
import type { TestScope } from '../../support/servers.js'
import { type Editions, type Lane, lanes } from '../oracle/expectation.js'
import { compare, expectationsOf, partitionIn } from '../oracle/oracle.js'
import { eachStored, type StoredMessage } from '../oracle/stored-messages.js'
import { type Invariant, type Violation, Violations } from '../oracle/violations.js'
import { readLogs, type Halts } from '../rig/logs.js'
import type { PartitionSight } from '../rig/replica-process.js'
import { Rig, type RigOptions } from '../rig/rig.js'
import { untilAttached, untilCaughtUp, untilStill } from '../rig/stillness.js'
import { Generator, markerOf } from '../workload/generator.js'
import { Ledger } from '../workload/ledger.js'
import { LoadPublisher } from '../workload/publisher.js'

export interface DirectedOptions extends Partial<RigOptions> {
  readonly seed: number
  /** Before any replica runs. */
  readonly prepare?: (rig: Rig) => void
  /** How many replicas are started at once; the others wait for a word. Default: all. */
  readonly started?: number
  /** How long is waited for a state before its absence is a violation. */
  readonly patienceMs?: number
  /** What the run is to break; its logs are kept only if it does not. Default: nothing, and logs are kept of what is broken. */
  readonly breaks?: Invariant
}

/** What the broker held before it lost something. */
export interface Past {
  readonly events: readonly StoredMessage[]
  readonly published: Readonly<Record<Lane, readonly StoredMessage[]>>
}

const command = fileURLToPath(new URL('../../../engine/cli/main.js', import.meta.url))

export class Directed {
  #past: Past | undefined
  #halts: Halts = {}
  /** Where the lanes ended after the loss: what lies behind came later. */
  #laneEnds: Partial<Record<Lane, number>> = {}
  /** The same for each partition's events. */
  #eventEnds: readonly number[] = []

  private constructor(
    readonly rig: Rig,
    readonly publisher: LoadPublisher,
    readonly violations: Violations,
    private readonly progress: { isJudged: boolean },
    private readonly marker: string,
    private readonly patienceMs: number,
  ) {}

  /** Servers and replicas, with every partition attached. */
  static async start(t: TestScope, options: DirectedOptions): Promise<Directed> {
    const { seed, prepare, patienceMs = 20_000, breaks } = options
    const violations = new Violations()
    const setup = { replicas: 2, partitions: 4, leaseTtl: '2s', ...options }
    const progress = { isJudged: false }
    // A run that came to no verdict is as unexpected as one with the wrong one.
    const isAsExpected = () => progress.isJudged && (breaks === undefined ? violations.isEmpty : violations.has(breaks))
    const rig = await Rig.start(t, setup, isAsExpected)
    const marker = markerOf(seed)
    const generator = new Generator({ seed, marker, users: 100 })
    const publisher = new LoadPublisher(rig.connection, generator, new Ledger(marker))
    t.teardown(() => publisher.close())
    const directed = new Directed(rig, publisher, violations, progress, marker, patienceMs)
    prepare?.(rig)
    await Promise.all(rig.replicas.slice(0, options.started).map(replica => replica.start()))
    await untilAttached(rig)
    return directed
  }

  /** Stores this many events. */
  async publish(count: number): Promise<void> {
    this.publisher.publish(count)
    await eventually('the events are stored', () => this.publisher.waiting === 0, { withinMs: this.patienceMs })
  }

  /** Waits until everything is processed and published; a violation when that does not come. */
  async still(withinMs = this.patienceMs): Promise<void> {
    try {
      await untilCaughtUp(this.rig, withinMs)
      await untilStill(this.rig, withinMs)
    } catch (error) {
      this.violations.add('not_recovered', error instanceof Error ? error.message : String(error))
    }
  }

  /** Waits until Redis holds no effect that is published: what a broker forgets would be published again from there. */
  async trimmed(): Promise<void> {
    const { numbers, client } = this.rig
    await eventually('no effect is kept', async () => {
      const kept = await Promise.all(numbers.map(partition => client.llen(`mr:{chaos:${partition}}:o`)))
      return kept.every(count => count === 0)
    })
  }

  /** Waits until every partition is halted for this reason, and nobody runs any; a violation when that does not come. */
  async halted(reason: string, withinMs = this.patienceMs): Promise<void> {
    try {
      await eventually(`every partition is halted: ${reason}`, () => this.#areHalted(reason), {
        withinMs,
        everyMs: 200,
      })
    } catch (error) {
      this.violations.add('halt_missing', error instanceof Error ? error.message : String(error))
    }
  }

  /** As a person does who accepts the loss; resolves when every partition runs. */
  async acceptLoss(): Promise<void> {
    const config = join(this.rig.folder, 'command.yaml')
    const { nats, redis } = this.rig
    const settings = {
      pipeline: this.rig.pipelineFile,
      nats: { servers: [`127.0.0.1:${nats.port}`] },
      redis: { url: redis.url },
    }
    await writeFile(config, JSON.stringify(settings))
    const words = ['-c', config, 'partitions', 'resume', '--all', '--accept-loss']
    const env = { ...process.env, ...this.rig.environment }
    await promisify(execFile)(process.execPath, [command, ...words], { timeout: 20_000, env })
    await eventually(
      'every partition runs',
      async () => {
        const sights = await this.rig.sights()
        const running = sights.filter(({ state }) => state === 'running')
        if (running.length === this.rig.options.partitions) return true
        throw new Error(described(sights))
      },
      { withinMs: this.patienceMs, everyMs: 200 },
    )
  }

  /** Keeps what the broker holds, because it is about to lose some of it. */
  async remember(): Promise<void> {
    const events = await this.#stored('EVENTS')
    const published = {} as Record<Lane, StoredMessage[]>
    for (const lane of lanes) published[lane] = await this.#stored(lane.toUpperCase())
    this.#past = { events, published }
  }

  /**
   * The broker has lost what it has lost: what it holds now is known, or does not count. Events count that lie behind these
   * sequences, by partition; without them, behind the end of the stream.
   */
  async lost(eventEnds?: readonly number[]): Promise<void> {
    const manager = await this.rig.connection.jetstreamManager({ checkAPI: false })
    const endOf = async (stream: string): Promise<number> => (await manager.streams.info(stream)).state.last_seq
    for (const lane of lanes) this.#laneEnds[lane] = await endOf(lane.toUpperCase())
    const end = await endOf('EVENTS')
    this.#eventEnds = eventEnds ?? this.rig.numbers.map(() => end)
  }

  /** Halts by reason, once there is a verdict. */
  get halts(): Halts {
    return this.#halts
  }

  /** Stored positions, by partition. */
  async positions(): Promise<number[]> {
    return (await this.rig.metas()).map(({ position }) => Number(position))
  }

  /** All violations; nothing may be left to process. */
  async verdict(): Promise<readonly Violation[]> {
    const violations = await this.#judge()
    this.progress.isJudged = true
    return violations
  }

  async #judge(): Promise<readonly Violation[]> {
    const { connection, client: redis } = this.rig
    this.#halts = await readLogs(this.rig, this.marker, this.violations)
    if (!this.violations.isEmpty) return this.violations.list
    const pipeline = await this.rig.pipeline()
    const metas = await this.rig.metas()
    const editions = (partition: number): Editions => [
      { from: -1, edition: 1 },
      ...(this.rig.edition === 1 ? [] : [{ from: Number(metas[partition]!['definition_from']), edition: 2 as const }]),
    ]
    const expectations = expectationsOf(pipeline, editions)
    for (const event of this.#past?.events ?? []) expectations[partitionIn(event)]!.take(event)
    await eachStored(connection, 'EVENTS', event => {
      const partition = partitionIn(event)
      if (event.seq <= (this.#eventEnds[partition] ?? 0)) return
      expectations[partition]!.take(event, Number(metas[partition]!['sequence_offset'] ?? 0))
    })
    const source = async (lane: Lane, take: (message: StoredMessage) => void): Promise<void> => {
      this.#past?.published[lane].forEach(take)
      await eachStored(connection, lane.toUpperCase(), take, (this.#laneEnds[lane] ?? 0) + 1)
    }
    await compare(expectations, { source, redis, pipeline }, this.violations)
    return this.violations.list
  }

  async #stored(stream: string): Promise<StoredMessage[]> {
    const messages: StoredMessage[] = []
    await eachStored(this.rig.connection, stream, message => void messages.push(message))
    return messages
  }

  async #areHalted(reason: string): Promise<boolean> {
    const sights = await this.rig.sights()
    const halted = new Set(sights.filter(sight => sight.reason === reason).map(({ partition }) => partition))
    const running = sights.filter(({ state }) => state === 'running')
    if (halted.size === this.rig.options.partitions && running.length === 0) return true
    throw new Error(described(sights))
  }
}

function described(sights: readonly PartitionSight[]): string {
  return sights.map(({ partition, state, reason }) => `${partition} ${state} ${reason}`.trim()).join(', ')
}
