/** The other side of the generator's process: makes a workload's messages, has them sent, and says what came of it. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../engine/clock.js'
import type { BenchOptions } from '../question.js'
import type { Message, Tally } from '../workloads/workload.js'
import type { Percentiles } from './latency-histogram.js'
import { ackSubject, type Begun, type Play, type Played } from './load.js'
import type { Rig } from './rig.js'
import { encodePublish } from './wire.js'

const program = fileURLToPath(new URL('./generator-process.js', import.meta.url))
/** From when messages are made to when the first is sent: an event happens when it is due, so that has to be guessed. */
const leadMs = 200
const leadMsPerMessage = 0.015

export interface Schedule {
  readonly events: number
  /** Events a second. */
  readonly rate: number
  /** Events at the beginning that are not counted. */
  readonly skip: number
}

/** A load that is being sent. */
export interface Sending {
  /** Epoch milliseconds; event n is due n / rate seconds later. */
  readonly startedAtMs: number
  /** Resolves with the lag behind the schedule when every event is acknowledged; rejects when one is not. */
  readonly sent: Promise<Percentiles | undefined>
}

export class LoadGenerator {
  /** What must come of everything that was sent, where the workload knows. */
  readonly tally: Tally | undefined
  #dueAtMs = 0
  readonly #messages: Iterator<Message>

  private constructor(
    private readonly rig: Rig,
    private readonly child: ChildProcess,
    { seed, users }: Pick<BenchOptions, 'seed' | 'users'>,
  ) {
    this.tally = rig.workload.tally?.()
    const clock = () => Math.floor(this.#dueAtMs)
    const load = { seed, users, events: Number.MAX_SAFE_INTEGER, clock }
    this.#messages = rig.workload.messages(load)[Symbol.iterator]()
    const kill = () => child.kill('SIGKILL')
    process.once('exit', kill)
    child.once('exit', () => process.off('exit', kill))
  }

  /** Resolves when it is connected. */
  static async start(rig: Rig, options: Pick<BenchOptions, 'seed' | 'users'>): Promise<LoadGenerator> {
    const child = fork(program, [String(rig.servers.nats.port)])
    const generator = new LoadGenerator(rig, child, options)
    await generator.#told('ready')
    return generator
  }

  get pid(): number {
    return this.child.pid!
  }

  /** Resolves when the first event is due. Events go on where the last load ended. */
  async send({ events, rate, skip }: Schedule): Promise<Sending> {
    const startAtMs = systemClock.wallMs() + leadMs + events * leadMsPerMessage
    const encoded: Buffer[] = []
    const ends = new Uint32Array(events)
    let end = 0
    for (let number = 0; number < events; number++) {
      this.#dueAtMs = startAtMs + (number * 1000) / rate
      const message = this.#messages.next().value as Message
      this.tally?.add(message)
      const bytes = encodePublish(message, ackSubject)
      encoded.push(bytes)
      ends[number] = end += bytes.length
    }
    const [bytesFile, endsFile] = ['load.bytes', 'load.ends'].map(name => join(this.rig.servers.folder, name))
    await writeFile(bytesFile!, encoded)
    await writeFile(endsFile!, ends)
    const begun = this.#told<Begun>('begun')
    const played = this.#told<Played>('played')
    this.child.send({ bytesFile: bytesFile!, endsFile: endsFile!, startAtMs, rate, skip } satisfies Play)
    const sent = played.then(({ failure, lag }) => {
      if (failure !== undefined) throw new Error(`the load is not stored as sent: ${failure}`)
      return lag
    })
    sent.catch(() => undefined) // seen by whoever waits for it
    const { startedAtMs } = await begun
    return { startedAtMs, sent }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const exit = once(this.child, 'exit')
    this.child.kill('SIGTERM')
    await exit
  }

  async #told<Said>(kind: string): Promise<Said> {
    const gone = new AbortController()
    const exit = once(this.child, 'exit', { signal: gone.signal }).then(() => {
      throw new Error('the load generator ended by itself')
    })
    try {
      for (;;) {
        const [said] = (await Promise.race([once(this.child, 'message', { signal: gone.signal }), exit])) as [
          { kind: string },
        ]
        if (said.kind === kind) return said as Said
      }
    } finally {
      gone.abort()
      exit.catch(() => undefined) // aborted
    }
  }
}
