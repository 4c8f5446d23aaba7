/** Counters and gauges as plain fields that the engine adds to, kept in the shape in which they are exposed. */
import type { Histogram } from './histogram.js'
import type { MetricDeclaration } from './table.js'

export type Labels = Readonly<Record<string, string>>

/** One line of the exposition. */
export interface Series {
  readonly labels: Labels
  value: number
}

/** All series of one counter or gauge. */
export class Family {
  readonly values: Series[] = []
  readonly #byLabels = new Map<string, Series>()
  readonly #labelNames: readonly string[]

  /** `shared` labels stand on every series. */
  constructor(
    declaration: MetricDeclaration,
    private readonly shared: Labels,
  ) {
    this.#labelNames = declaration.labels ?? []
    // Absent until its first increase, a counter would hide that increase from `rate`.
    if (this.#labelNames.length === 0) this.series()
  }

  /** The series with these values, in the order of the declared labels; made, at zero, when it is new. */
  series(...labelValues: string[]): Series {
    const id = labelValues.join('\0')
    let series = this.#byLabels.get(id)
    if (series === undefined) {
      const own = this.#labelNames.map((name, index) => [name, labelValues[index]!])
      series = { labels: { ...this.shared, ...Object.fromEntries(own) }, value: 0 }
      this.values.push(series)
      this.#byLabels.set(id, series)
    }
    return series
  }

  /** The series is not exposed any more; made anew, it starts at zero. */
  forget(...labelValues: string[]): void {
    const id = labelValues.join('\0')
    const series = this.#byLabels.get(id)
    if (series === undefined) return
    this.#byLabels.delete(id)
    this.values.splice(this.values.indexOf(series), 1)
  }

  reset(): void {
    for (const series of this.values) series.value = 0
  }
}

/** A histogram's lines: cumulative buckets, sum and count. Durations were observed in milliseconds and leave as seconds. */
export function histogramSeries(
  { name, isDuration }: MetricDeclaration,
  histogram: Histogram,
  shared: Labels,
): object[] {
  const unit = isDuration === true ? 1000 : 1
  const lines: object[] = []
  let atMost = 0
  histogram.counts.forEach((count, index) => {
    atMost += count
    const bound = histogram.bounds[index]
    const le = bound === undefined ? '+Inf' : bound / unit
    lines.push({ metricName: `${name}_bucket`, labels: { ...shared, le }, value: atMost })
  })
  lines.push({ metricName: `${name}_sum`, labels: shared, value: histogram.sum / unit })
  lines.push({ metricName: `${name}_count`, labels: shared, value: atMost })
  return lines
}
