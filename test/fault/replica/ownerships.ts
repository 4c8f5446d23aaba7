/**
 * Notes which events a process works on while it owns a partition, to show how much of it the next owner does again. Written
 * down when the process ends in order; one that is killed takes its notes along.
 */
import { writeFileSync } from 'node:fs'
import type { Pipeline } from '../../../engine/pipeline.js'
import type { ProfileStore } from '../../../engine/store.js'

/** From one claim to the next one; a process may claim a partition again and again. */
export interface Ownership {
  readonly partition: number
  /** Epoch milliseconds. */
  readonly since: number
  /** Positions of the first events that entered the first stage; far more than a batch. */
  readonly first: number[]
  /** Position of the last one; -1 when there was none. */
  last: number
}

const mostFirst = 5_000

export class OwnershipRecord {
  readonly #ownerships: Ownership[] = []
  readonly #current = new Map<number, Ownership>()

  /** The same pipeline; its first stage tells what it is given. */
  watchStages(pipeline: Pipeline): Pipeline {
    const [first, ...others] = pipeline.stages
    if (first === undefined) return pipeline
    const start: typeof first.start = async setup => {
      const stage = await first.start(setup)
      const process = stage.process.bind(stage)
      stage.process = (event, context) => {
        this.#note(Number(event.origin.subject.split('.', 2)[1]), event.seq)
        return process(event, context)
      }
      return stage
    }
    return { ...pipeline, stages: [{ ...first, start }, ...others] }
  }

  /** The same store. */
  watchClaims(store: ProfileStore): ProfileStore {
    const acquire = store.acquire.bind(store)
    store.acquire = (partition, claim) => {
      const ownership = { partition, since: Date.now(), first: [], last: -1 }
      this.#ownerships.push(ownership)
      this.#current.set(partition, ownership)
      return acquire(partition, claim)
    }
    return store
  }

  save(file: string): void {
    writeFileSync(file, JSON.stringify(this.#ownerships))
  }

  #note(partition: number, seq: number): void {
    const ownership = this.#current.get(partition)!
    if (ownership.first.length < mostFirst) ownership.first.push(seq)
    ownership.last = Math.max(ownership.last, seq)
  }
}
