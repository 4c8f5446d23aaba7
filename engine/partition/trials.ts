/**
 * Makes and withdraws the records of `trial.ts` around the work of a session, so that a death blames what was really being
 * processed: one trial at a time in this process, none while a dependency is waited for, none left when the work only threw.
 */
import type { Event } from '../event.js'
import { profileStage } from '../outcome.js'
import type { StagedEvents } from '../stages.js'
import type { MetaUpdate } from '../store.js'
import { noWrites, type Committer } from './committer.js'
import type { Caution } from './trial.js'

/**
 * Beyond the longest try to reach a dependency (`prepareTimeoutMs` in stages.ts): whoever takes so long, with the event loop
 * going round, waits for one that is down, and holds nobody up.
 */
const patienceMs = 6_000
/** A session that has failed does not wait long for the store. */
const abandonMs = 1_000

/** Of the process, because a death is: a record that stood beside the guilty one would be blamed as well. */
let lastTurn = Promise.resolve()

/** Waits for the trials of this process that were asked for before. Call what it gives when done. */
async function takeTurn(signal: AbortSignal): Promise<() => void> {
  const before = lastTurn
  let done = (): void => {}
  const mine = new Promise<void>(resolve => {
    done = resolve
  })
  // Whoever gives up waiting does not let those behind it pass those before it.
  lastTurn = before.then(() => mine)
  await untilAborted(before, signal)
  if (!signal.aborted) return done
  done()
  throw signal.reason
}

async function untilAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop = (): void => {}
  const aborted = new Promise<void>(resolve => {
    stop = resolve
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', stop)
  })
  await Promise.race([wait, aborted])
  signal.removeEventListener('abort', stop)
}

function setAside(events: readonly Event[]): StagedEvents {
  const why = {
    stage: profileStage,
    reason: 'event_kills',
    detail: 'the process died whenever it processed this event',
  }
  return { survivors: [], rejected: events.map(event => ({ event, ...why })) }
}

export class Trials {
  #done: (() => void) | undefined
  #patience: NodeJS.Timeout | undefined
  readonly #resumeAt: number

  /** `settle` resolves when the commit in flight is written. */
  constructor(
    private readonly caution: Caution,
    private readonly committer: Pick<Committer, 'commit'>,
    private readonly settle: () => Promise<void>,
    private readonly signal: AbortSignal,
  ) {
    this.#resumeAt = performance.now() + caution.backOffMs
  }

  /** Before what has killed is tried again, the other partitions of the process do what they have to. */
  get isBackingOff(): boolean {
    return performance.now() < this.#resumeAt
  }

  /** The meta of a commit, which ends the trial if there is one. */
  closing(meta: MetaUpdate): MetaUpdate {
    return this.caution.isOver ? meta : { ...meta, trial: '' }
  }

  /** Returns when `events` events after `position` may be processed; `end` must follow, or `abandon`. */
  async begin(position: number, events: number): Promise<void> {
    if (this.caution.isOver) return
    const done = await takeTurn(this.signal)
    this.#done = done
    this.#patience = setTimeout(done, patienceMs)
    await this.settle()
    await this.#record(this.caution.begin(position, events), this.signal)
  }

  /** `run` takes the events through the stages. One that has killed often enough goes past all of them to the dead letters. */
  async stage(position: number, events: readonly Event[], run: () => Promise<StagedEvents>): Promise<StagedEvents> {
    if (this.caution.isDeadly(position)) return setAside(events)
    await this.begin(position, events.length)
    return this.#done === undefined ? run() : this.#waiting(run)
  }

  /** After the commit of `events` events was sent. Returns when it is written, if that matters. */
  async end(events: number): Promise<void> {
    if (this.caution.isOver) return
    await this.settle()
    this.caution.pass(events)
    this.#leave()
  }

  /** The work has thrown, so it did not kill. Never rejects: a record that stays is recognized at the next attachment. */
  async abandon(): Promise<void> {
    if (this.#done === undefined) return
    await this.settle().catch(() => undefined) // what failed is known to whoever ends the session
    const soon = AbortSignal.any([this.signal, AbortSignal.timeout(abandonMs)])
    await this.#withdraw(soon).catch(() => undefined)
  }

  /** Stages may wait for a dependency: a restart during an outage must not blame the events that wait. */
  async #waiting<T>(work: () => Promise<T>): Promise<T> {
    let withdrawal = Promise.resolve()
    const patience = setTimeout(() => {
      withdrawal = this.#withdraw(this.signal)
      withdrawal.catch(() => undefined) // thrown below, when the work is over
    }, patienceMs)
    try {
      return await work()
    } finally {
      clearTimeout(patience)
      await withdrawal
    }
  }

  async #withdraw(signal: AbortSignal): Promise<void> {
    try {
      await this.#record('', signal)
    } finally {
      this.#leave()
    }
  }

  #record(trial: string, signal: AbortSignal): Promise<void> {
    return this.committer.commit({ ...noWrites, meta: { trial } }, signal)
  }

  #leave(): void {
    clearTimeout(this.#patience)
    this.#done?.()
    this.#done = undefined
  }
}
