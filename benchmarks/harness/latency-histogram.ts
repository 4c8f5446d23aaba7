/** Latencies in Node's own HDR histogram: three digits from a microsecond to an hour, constant memory. */
import { createHistogram } from 'node:perf_hooks'

/** Milliseconds. */
export interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly most: number
}

const mostUs = 3_600_000_000

export class LatencyHistogram {
  readonly #us = createHistogram({ lowest: 1, highest: mostUs, figures: 3 })

  /** Two clock readings may be the same, or a little apart the wrong way: nothing is below a microsecond. */
  record(ms: number): void {
    this.#us.record(Math.min(mostUs, Math.max(1, Math.round(ms * 1000))))
  }

  /** `undefined` when nothing was recorded. */
  percentiles(): Percentiles | undefined {
    if (this.#us.count === 0) return undefined
    const [p50, p99, p999] = [50, 99, 99.9].map(percent => this.#us.percentile(percent) / 1000)
    return { count: this.#us.count, p50: p50!, p99: p99!, p999: p999!, most: this.#us.max / 1000 }
  }
}
