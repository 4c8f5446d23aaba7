/**
 * A contender under a load that does not wait for it. Events are sent by schedule; whatever the contender does, the next one
 * is due when it is due, and its latency counts from then (no coordinated omission).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../engine/clock.js'
import { Names } from '../../engine/nats/names.js'
import type { Contender, Entrant } from '../contenders/contender.js'
import type { BenchOptions } from '../question.js'
import type { Percentiles } from './latency-histogram.js'
import { judge, type Differences } from './exactness.js'
import { LoadGenerator } from './load-generator.js'
import { Meter, type Measurement, type Role } from './meter.js'
import type { Rig } from './rig.js'
import { triggerLatency, type TriggerLatency } from './trigger-latency.js'

export interface Load {
  /** Events a second. */
  readonly rate: number
  /** Sent before anything counts. */
  readonly warmUpSeconds: number
  /** The measured window. */
  readonly seconds: number
  /** False: triggers are not read back, which takes a while. */
  readonly hasLatency?: boolean
}

export interface LoadResult {
  readonly rate: number
  /** Over the window, with the processor time of everybody, the generator included. */
  readonly measurement: Measurement<Role>
  /** How far the contender was behind the schedule when the window began and when it ended, milliseconds of load. */
  readonly behindMs: readonly [number, number]
  /** The lag did not grow over the window. */
  readonly isSustained: boolean
  /** Everything was worked off soon after the last event. */
  readonly isFinished: boolean
  /** How late events were sent. */
  readonly sendLagMs: Percentiles | undefined
  /** Of the events of the window; absent when it was not asked for, or there were no triggers. */
  readonly latency: TriggerLatency | undefined
}

/** Lag may move by this share of the window's length, and by so much in a short one: batches come and go. */
const [mostGrowth, mostGrowthMs] = [0.02, 40]
const answersWithinMs = 30_000
/** What is left after a load has this long to be worked off. */
const finishWithinMs = 20_000
/** The first events are for starting and connecting. */
const greetings = 200

export class OpenLoop {
  #sent = 0

  private constructor(
    private readonly rig: Rig,
    private readonly contender: Contender,
    private readonly entrant: Entrant,
    private readonly generator: LoadGenerator,
  ) {}

  /** Empties everything and starts the contender; resolves when it works. */
  static async start(rig: Rig, contender: Contender, options: Pick<BenchOptions, 'seed' | 'users'>): Promise<OpenLoop> {
    await rig.clear()
    const generator = await LoadGenerator.start(rig, options)
    let entrant: Entrant | undefined
    try {
      entrant = await contender.start(await rig.site(contender.name))
      const loop = new OpenLoop(rig, contender, entrant, generator)
      const { sent } = await generator.send({ events: greetings, rate: 10_000, skip: 0 })
      await sent
      loop.#sent = greetings
      if (await loop.#finished(answersWithinMs)) return loop
      throw new Error(`${contender.name} did not work off ${greetings} events within ${answersWithinMs} ms`)
    } catch (error) {
      await entrant?.stop()
      await generator.stop()
      throw error
    }
  }

  /** May be called again as long as the last result is finished. */
  async run({ rate, warmUpSeconds, seconds, hasLatency = true }: Load): Promise<LoadResult> {
    const { rig, generator, entrant } = this
    const skip = Math.round(rate * warmUpSeconds)
    const events = skip + Math.round(rate * seconds)
    const before = this.#sent
    const afterTrigger = await this.#lastTrigger()
    const { startedAtMs, sent } = await generator.send({ events, rate, skip })
    this.#sent += events
    const dueAtMs = (n: number) => startedAtMs + (n * 1000) / rate
    const lookAt = async (atMs: number) => {
      await sleep(Math.max(0, atMs - systemClock.wallMs()))
      const due = Math.min(events, Math.floor(((systemClock.wallMs() - startedAtMs) * rate) / 1000) + 1)
      const done = (await this.#done()) - before
      return { done, behindMs: ((due - done) * 1000) / rate }
    }
    const first = await lookAt(dueAtMs(skip))
    const meter = new Meter({ ...rig.processes(...entrant.pids), generator: [generator.pid] })
    const last = await lookAt(dueAtMs(events))
    const measurement = meter.read(Math.max(1, last.done - first.done))
    const isSustained = last.behindMs - first.behindMs <= Math.max(mostGrowthMs, mostGrowth * seconds * 1000)
    const sendLagMs = await sent
    const isFinished = await this.#finished(finishWithinMs)
    const window = {
      after: before + skip,
      count: events - skip,
      dueAtMs: (n: number) => dueAtMs(skip + n),
      afterTrigger,
    }
    const latency = hasLatency ? await triggerLatency(rig, window) : undefined
    const behindMs = [first.behindMs, last.behindMs] as const
    return { rate, measurement, behindMs, isSustained, isFinished, sendLagMs, latency }
  }

  async stop(): Promise<void> {
    await this.entrant.stop()
    await this.generator.stop()
  }

  /** Whether what came of all events is what had to come of them. After `stop`, when the last load was finished. */
  async differences(): Promise<Differences | undefined> {
    const site = await this.rig.site(this.contender.name)
    return judge(this.rig, this.contender, site, this.generator.tally)
  }

  async #done(): Promise<number> {
    this.entrant.check()
    return this.entrant.done()
  }

  async #finished(withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs
    while ((await this.#done()) < this.#sent) {
      if (performance.now() > deadline) return false
      await sleep(20)
    }
    return true
  }

  async #lastTrigger(): Promise<number> {
    return (await this.rig.streams.freshFacts(new Names().streams.triggers)).lastSeq
  }
}
