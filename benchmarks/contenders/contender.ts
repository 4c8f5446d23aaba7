/** One way of doing a workload's work, in a process of its own. */
import type { Totals, Workload } from '../workloads/workload.js'

/** Where a contender finds the events and leaves what it makes of them. Redis is empty when it starts, the triggers too. */
export interface Site {
  readonly natsUrl: string
  readonly redisUrl: string
  /** For its files; there already. */
  readonly folder: string
  readonly workload: Workload
  readonly eventsStream: string
  /** Takes `triggers.<name>.<user>`, with the header `Bench-Cause: <stream sequence of the event>`. */
  readonly triggersStream: string
}

export interface Contender {
  /** One word for programs. */
  readonly name: string
  /** For people. */
  readonly label: string
  /** What is kept of an event when a process dies at the worst moment: one sentence. */
  readonly guarantee: string
  /** What of the workload it does not do. */
  readonly lacks: readonly string[]
  /** Events reach it through a program that is not measured. Its latency would be that program's too, so it is not asked for. */
  readonly isFed?: true
  /** Nothing comes of the events, so nothing is checked. */
  readonly hasNoEffects?: true
  /** Builds and compiles: everything that is done once and is never measured. */
  prepare?(site: Site): Promise<void>
  start(site: Site): Promise<Entrant>
  /**
   * What it has made of the events: the sums over its profiles, read from Redis after the last event is worked off. Triggers
   * need not be in it, they are counted in the stream. Absent when it keeps nothing that could be read.
   */
  totals?(site: Site): Promise<Totals>
}

/** A contender that runs. */
export interface Entrant {
  /** Of its processes. */
  readonly pids: readonly number[]
  /** Events fully worked off: effects acknowledged. May lag a little, never lead. */
  done(): Promise<number>
  /** Throws when a process has ended by itself. */
  check(): void
  stop(): Promise<void>
}
