/** Time and processor time of several processes between two moments. */
import { cpuMsOf, peakRssMbOf } from './process-usage.js'

/** The process that is measured, and the servers it uses. */
export interface Processes {
  readonly engine: number
  readonly nats: number
  readonly redis: number
}

export interface Measurement {
  readonly eventsPerSecond: number
  /** Processor time of each process, microseconds for one event. */
  readonly cpuUsPerEvent: Readonly<Record<keyof Processes, number>>
  /** The most memory that the measured process has held, from its start on. */
  readonly rssMb: number
}

const names = ['engine', 'nats', 'redis'] as const

export class Meter {
  readonly #startedAt = performance.now()
  readonly #cpuMs: readonly number[]

  /** Starts to measure. */
  constructor(private readonly processes: Processes) {
    this.#cpuMs = names.map(name => cpuMsOf(processes[name]))
  }

  /** What `events` events took since the start. All processes must still run. */
  read(events: number): Measurement {
    const seconds = (performance.now() - this.#startedAt) / 1000
    const us = (name: keyof Processes, at: number) =>
      ((cpuMsOf(this.processes[name]) - this.#cpuMs[at]!) * 1000) / events
    return {
      eventsPerSecond: events / seconds,
      cpuUsPerEvent: { engine: us('engine', 0), nats: us('nats', 1), redis: us('redis', 2) },
      rssMb: peakRssMbOf(this.processes.engine),
    }
  }
}
