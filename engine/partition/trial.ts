/**
 * What a process that died leaves behind: the record of what it was about to do.
 *
 * While a partition is in doubt its meta gets, before a batch is processed, `<position>:<events>:<tries>`: "about to process so
 * many events after this position, for the n-th time". The batch's commit takes the record away. Whoever attaches and finds one
 * standing knows what the owner before died of, tries an eighth of it, and sets aside the event that killed twice all by itself.
 */
import type { PartitionMeta } from '../store.js'

export interface Trial {
  readonly position: number
  /** Events after the position; 0 for timers alone. */
  readonly events: number
  readonly tries: number
}

/** One death may be a coincidence: a machine that failed, an operator's SIGKILL. */
const deadlyTries = 2
/** 500 events come down to one in three steps. Each step costs a process its life, the tries in between only commits. */
const stepDown = 8
/** A batch that was being processed, and one whose commit was in flight. */
const batchesInFlight = 2
/** Doubled with each try. Timers that kill cannot be set aside: they are tried ever less often until the definition changes. */
const backOffMs = 1_000
const maxBackOffMs = 300_000

/** `undefined` when no trial stands. */
export function parseTrial(text: string): Trial | undefined {
  const match = /^(\d+):(\d+):(\d+)$/.exec(text)
  if (match === null) return undefined
  return { position: Number(match[1]), events: Number(match[2]), tries: Number(match[3]) }
}

/** The form kept in the meta. */
export function trialText({ position, events, tries }: Trial): string {
  return `${position}:${events}:${tries}`
}

/**
 * How carefully one claim of a partition goes about its events. It outlives the attachments of the claim: what ends one of them
 * without ending the process is no death.
 */
export class Caution {
  #size = Infinity
  /** Events left of those that the owner before died of. */
  #suspects = 0
  /** Events until nothing is left that can have been in flight at a death; `Infinity` until that is known. */
  #left: number
  #blamed: Trial | undefined
  /** The last record that this claim has made. */
  #own = ''

  /** `isCutOff`: the owner before did not give the partition up. */
  constructor(isCutOff: boolean) {
    this.#left = isCutOff ? Infinity : 0
  }

  /** Nothing found here is in doubt any more. */
  get isOver(): boolean {
    return this.#left <= 0
  }

  /** The most events to process at once. */
  get size(): number {
    return this.isOver ? Infinity : this.#size
  }

  /** How long what the owner before died of is better left alone. */
  get backOffMs(): number {
    if (this.#blamed === undefined) return 0
    return Math.min(backOffMs * 2 ** (this.#blamed.tries - 1), maxBackOffMs)
  }

  /** The record found, empty when it is this claim's own: its maker lives. */
  foreign(text: string): string {
    return text === this.#own ? '' : text
  }

  /** At every attachment, with the state that it starts from. */
  attach({ position, trial }: Pick<PartitionMeta, 'position' | 'trial'>, batchEvents: number): void {
    if (this.#left === Infinity) this.#left = batchesInFlight * batchEvents
    const found = parseTrial(trial)
    // At another position: a person has accepted a loss since.
    if (found?.position !== position) return
    this.#blamed = found
    this.#size = Math.max(1, Math.floor(found.events / stepDown))
    this.#suspects = found.events
    this.#left = batchesInFlight * batchEvents
  }

  /** The next event has killed alone, often enough. */
  isDeadly(position: number): boolean {
    const { events, tries } = this.#of(position) ?? { events: 0, tries: 0 }
    return events === 1 && tries >= deadlyTries
  }

  /** The record to make before `events` events after `position` are processed. */
  begin(position: number, events: number): string {
    const blamed = this.#of(position)
    const tries = blamed?.events === events ? blamed.tries + 1 : 1
    this.#own = trialText({ position, events, tries })
    return this.#own
  }

  /** They were processed and committed. */
  pass(events: number): void {
    if (events > 0 || this.#blamed?.events === 0) this.#blamed = undefined
    this.#left -= events
    this.#suspects -= events
    if (this.#suspects <= 0) this.#size *= stepDown
  }

  /** Everything that the stream holds was processed: nothing in flight is left. */
  caughtUp(): void {
    if (this.#blamed === undefined) this.#left = 0
  }

  #of(position: number): Trial | undefined {
    return this.#blamed?.position === position ? this.#blamed : undefined
  }
}
