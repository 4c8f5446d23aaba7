/** Time and processor time of groups of processes between two moments. */
import { cpuMsOf, peakRssMbOf } from './process-usage.js'

/** Who takes part in a measurement: the contender itself, the servers, and where the load is open loop its generator. */
export type Role = 'engine' | 'nats' | 'redis' | 'generator'

/** Process ids of each role. */
export type Processes<Roles extends Role = 'engine' | 'nats' | 'redis'> = Readonly<Record<Roles, readonly number[]>>

export interface Measurement<Roles extends Role = 'engine' | 'nats' | 'redis'> {
  readonly eventsPerSecond: number
  /** Processor time of each role, microseconds for one event. */
  readonly cpuUsPerEvent: Readonly<Record<Roles, number>>
  /** The most memory that the processes of the contender have held, each from its start on, added up. */
  readonly rssMb: number
}

export class Meter<Roles extends Role = 'engine' | 'nats' | 'redis'> {
  readonly #startedAt = performance.now()
  readonly #cpuMs: ReadonlyMap<Roles, number>

  /** Starts to measure. */
  constructor(private readonly processes: Processes<Roles> & Pick<Processes, 'engine'>) {
    this.#cpuMs = this.#read()
  }

  /** Milliseconds since the start. */
  get elapsedMs(): number {
    return performance.now() - this.#startedAt
  }

  /** What `events` events took since the start. All processes must still run. */
  read(events: number): Measurement<Roles> {
    const eventsPerSecond = (events * 1000) / this.elapsedMs
    const us = [...this.#read()].map(([role, ms]) => [role, ((ms - this.#cpuMs.get(role)!) * 1000) / events] as const)
    return {
      eventsPerSecond,
      cpuUsPerEvent: Object.fromEntries(us) as Record<Roles, number>,
      rssMb: this.processes.engine.reduce((sum, pid) => sum + peakRssMbOf(pid), 0),
    }
  }

  #read(): Map<Roles, number> {
    const roles = Object.entries(this.processes) as [Roles, readonly number[]][]
    return new Map(roles.map(([role, pids]) => [role, pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0)]))
  }
}
