/** Watches a run from outside: stored positions, what the replicas say of themselves, their memory, their exits. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Violations } from '../oracle/violations.js'
import { OwnerWatch } from './owner-watch.js'
import type { PartitionSight } from './replica-process.js'
import { outboxEntries, type Rig } from './rig.js'

const everyMs = 250
/** Once a commit is in, all of its effects are: the bound may be passed by those of one batch. */
const mostOutboxEntries = outboxEntries + 4 * 500
/** The most that a partition reads ahead, however few partitions there are: four batches. */
const mostBufferedEvents = 4 * 500
export const mostRssMb = 600

export class Monitor {
  rssMb = 0
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>
  #positions: number[] = []
  #rollbacks = 0
  readonly #exited = new Set<string>()
  readonly #owners: OwnerWatch

  constructor(
    private readonly rig: Rig,
    private readonly violations: Violations,
  ) {
    this.#owners = new OwnerWatch(violations)
    this.#ended = this.#run()
  }

  /** Positions may be lower when this has resolved `done`; meanwhile they are not looked at. */
  expectRollback(): { done(): void } {
    this.#rollbacks++
    return {
      done: () => {
        this.#positions = []
        this.#owners.forget()
        this.#rollbacks--
      },
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await Promise.all([this.#lookAtPositions(), this.#lookAtReplicas()])
      await delay(everyMs, undefined, { signal }).catch(() => undefined) // a stop ends the pause
    }
  }

  async #lookAtPositions(): Promise<void> {
    if (this.#rollbacks > 0) return
    const metas = await within(1_000, this.rig.metas())
    if (metas === undefined || this.#rollbacks > 0) return
    this.#owners.look(metas)
    const positions = metas.map(({ position }) => Number(position ?? 0))
    positions.forEach((position, partition) => {
      const before = this.#positions[partition]
      if (before === undefined || position >= before) return
      this.violations.add('position_fell', `partition ${partition} fell from ${before} to ${position}`)
    })
    this.#positions = positions
  }

  async #lookAtReplicas(): Promise<void> {
    await Promise.all(
      this.rig.replicas.map(async replica => {
        if (replica.hasExited && !this.#exited.has(replica.name)) {
          this.#exited.add(replica.name)
          this.violations.add('exited', `${replica.name} ended by itself, see its log`)
        }
        const rssMb = await replica.peakRssMb()
        if (rssMb > mostRssMb && this.rssMb <= mostRssMb) {
          this.violations.add('memory_bounded', `${replica.name} took ${rssMb} MB`)
        }
        this.rssMb = Math.max(this.rssMb, rssMb)
        for (const sight of (await replica.partitions()) ?? []) this.#lookAtBounds(replica.name, sight)
      }),
    )
  }

  #lookAtBounds(replica: string, { partition, outboxEntries = 0, bufferedEvents = 0 }: PartitionSight): void {
    const whose = `partition ${partition} of ${replica}`
    if (outboxEntries > mostOutboxEntries) {
      this.violations.add('outbox_bounded', `${whose} has ${outboxEntries} entries`)
    }
    if (bufferedEvents > mostBufferedEvents) {
      this.violations.add('buffer_bounded', `${whose} has ${bufferedEvents} events`)
    }
  }
}

/** `undefined` when it takes longer or fails. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const timeout = delay(ms, undefined, { ref: false })
  return Promise.race([work.catch(() => undefined), timeout])
}
