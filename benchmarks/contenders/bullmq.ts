/**
 * BullMQ, what Node teams reach for. It has a transport of its own, lists and hashes in Redis, and no way to read a stream: a
 * program beside it adds the events to the queue, decoded, before the worker starts; what that costs is not measured. Compared is
 * the worker: rate, and processor time for each job.
 */
import { execFile } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { AckPolicy } from 'nats'
import { LocalProcess } from '../../engine/cli/local/process.js'
import { nodeFlags } from '../../engine/cli/node-flags.js'
import { type BullMqSettings, mostWaiting, queueName } from '../peers/bullmq/bullmq.js'
import { shopFolder } from '../workloads/personalization/workload.js'
import type { Contender, Entrant, Site } from './contender.js'
import { builtOnce } from './peer-cache.js'
import { peersLack } from './peers-lack.js'
import { readProfileTotals } from './profile-totals.js'
import { StreamConsumer } from './stream-consumer.js'

const run = promisify(execFile)

/** From `build/benchmarks/contenders/`. */
const sources = fileURLToPath(new URL('../../../benchmarks/peers/bullmq/', import.meta.url))
const program = (name: string) => fileURLToPath(new URL(`../peers/bullmq/${name}.js`, import.meta.url))
const lookEveryMs = 50
/** Adding a job costs about as much as working it off. */
const filledWithinMs = 120_000
const maxAckPending = 4_000
const notTheStream = 'the stream: events are decoded and put into its own queue by a program that is not measured'

interface Job extends Pick<Contender, 'name' | 'label' | 'guarantee' | 'lacks'> {
  readonly hasEffects: boolean
}

function worker({ hasEffects, ...about }: Job): Contender {
  return {
    ...about,
    prepare: async () => {
      await installBullMq()
    },
    start: site => start(site, about.name, hasEffects),
    isFed: true,
    ...(hasEffects ? { totals: readProfileTotals } : { hasNoEffects: true }),
  }
}

/** All the work of the workload that a job can do. */
export const bullMqProfiles = worker({
  name: 'bullmq',
  label: 'BullMQ, a job per event',
  guarantee: 'At least once: a job whose worker dies is given to another one, and its counters are counted again.',
  lacks: [...peersLack, notTheStream, 'order: the jobs of a person run side by side'],
  hasEffects: true,
})

/** What taking and finishing jobs costs, and nothing else. */
export const bullMqNothing = worker({
  name: 'bullmq_noop',
  label: 'BullMQ, jobs that do nothing',
  guarantee: 'At least once.',
  lacks: ['everything: a job does nothing', notTheStream],
  hasEffects: false,
})

async function start(site: Site, name: string, hasEffects: boolean): Promise<Entrant> {
  const { natsUrl, redisUrl, folder, eventsStream: stream } = site
  const installed = await installBullMq()
  const consumer = await StreamConsumer.create(site, name, { ackPolicy: AckPolicy.Explicit, maxAckPending })
  const redis = new Redis(redisUrl)
  const common = { natsUrl, redisUrl, stream, consumer: consumer.name, shopFolder }
  const settings: BullMqSettings = { ...common, folder: installed, hasEffects }
  const processFor = (part: string) =>
    new LocalProcess({
      name: `${name} ${part}`,
      command: process.execPath,
      arguments: [...nodeFlags, program(part), JSON.stringify(settings)],
      logFile: join(folder, `${part}.log`),
    })
  const entrant = new BullMqEntrant(processFor('forward'), processFor('work'), consumer, redis)
  try {
    await entrant.start()
    return entrant
  } catch (error) {
    await entrant.stop()
    throw error
  }
}

class BullMqEntrant implements Entrant {
  #pid = 0

  constructor(
    private readonly forwarder: LocalProcess,
    private readonly worker: LocalProcess,
    private readonly consumer: StreamConsumer,
    private readonly redis: Redis,
  ) {}

  /** The forwarder stands for producers, which are not a contender's either. */
  get pids(): readonly number[] {
    return [this.#pid]
  }

  /** Resolves when the queue is filled and the worker runs. */
  async start(): Promise<void> {
    await this.forwarder.start(pid => Promise.resolve(pid))
    await this.#filled()
    this.#pid = await this.worker.start(pid => Promise.resolve(pid))
  }

  /** Forwarded and no job any more. */
  async done(): Promise<number> {
    const forwarded = await this.consumer.acknowledged()
    return Math.max(0, forwarded - (await this.#jobs()))
  }

  check(): void {
    for (const part of [this.forwarder, this.worker]) if (!part.isRunning) throw part.failure('ended by itself')
  }

  async stop(): Promise<void> {
    await Promise.all([this.worker.stop(), this.forwarder.stop()])
    this.redis.disconnect()
    await this.consumer.close()
  }

  /** All events of the stream are jobs, or as many as are added in advance. */
  async #filled(): Promise<void> {
    const deadline = performance.now() + filledWithinMs
    while ((await this.#jobs()) < mostWaiting && (await this.consumer.left()) > 0) {
      if (!this.forwarder.isRunning) throw this.forwarder.failure('ended by itself')
      if (performance.now() > deadline) throw new Error(`the queue was not filled within ${filledWithinMs} ms`)
      await sleep(lookEveryMs)
    }
  }

  /** Waiting or in work. */
  async #jobs(): Promise<number> {
    const lengths = await this.redis.multi().llen(`bull:${queueName}:wait`).llen(`bull:${queueName}:active`).exec()
    return (lengths ?? []).reduce((sum, [, length]) => sum + Number(length), 0)
  }
}

/** Rejects with a sentence when it cannot be installed. Resolves to the folder with its `node_modules`. */
function installBullMq(): Promise<string> {
  const files = ['package.json', 'package-lock.json']
  const paths = files.map(name => join(sources, name))
  return builtOnce('bullmq', paths, async folder => {
    for (const [at, path] of paths.entries()) await copyFile(path, join(folder, files[at]!))
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder }).catch((cause: unknown) => {
      throw new Error('BullMQ could not be installed with npm', { cause })
    })
  })
}
