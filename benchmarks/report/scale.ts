/** From a value to its place on an axis. */

export interface Scale {
  /** Round values to write at the axis, ascending, all within the axis. */
  readonly ticks: readonly number[]
  /** Pixels. */
  at(value: number): number
}

/** First and last pixel; the first may be the larger one, as on an upright axis. */
export type Range = readonly [number, number]

/** Zero to a round number that nothing exceeds. */
export function linearScale(most: number, [from, to]: Range): Scale {
  const step = roundAtLeast(Math.max(most, Number.MIN_VALUE) / 5)
  const end = Math.ceil(most / step - 1e-9) * step || step
  const count = Math.round(end / step)
  return {
    ticks: Array.from({ length: count + 1 }, (_, at) => (at * end) / count),
    at: value => from + (value / end) * (to - from),
  }
}

/** Equal factors, equal distances. Starts and ends at 1, 2 or 5 times a power of ten. Values must be above zero. */
export function logScale(values: readonly number[], [from, to]: Range): Scale {
  if (values.some(value => !(value > 0))) throw new RangeError('a logarithmic axis has no place for zero or less')
  const least = roundAtMost(Math.min(...values))
  let most = roundAtLeast(Math.max(...values))
  if (most === least) most = roundAtLeast(most * 1.5)
  const span = Math.log(most / least)
  return {
    ticks: logTicks(least, most),
    at: value => from + (Math.log(value / least) / span) * (to - from),
  }
}

/** Whole decades when there are many, else 1, 2 and 5 of each. */
function logTicks(least: number, most: number): number[] {
  const digits = most / least >= 500 ? [1] : [1, 2, 5]
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(least) + 1e-9); 10 ** power <= most * 1.000001; power++) {
    for (const digit of digits) {
      const tick = digit * 10 ** power
      if (tick >= least * 0.999999 && tick <= most * 1.000001) ticks.push(tick)
    }
  }
  return ticks
}

/** The smallest 1, 2 or 5 times a power of ten that is not below. */
function roundAtLeast(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find(digit => digit * power >= value * 0.999999) ?? 10) * power
}

/** The largest 1, 2 or 5 times a power of ten that is not above. */
function roundAtMost(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9)
  return ([5, 2, 1].find(digit => digit * power <= value * 1.000001) ?? 1) * power
}

/** `1234567` to `1.23M`, `50000` to `50k`, `0.5` to `0.5`: three digits are all that a tick or a label needs. */
export function compact(value: number): string {
  const [divisor, unit] = value >= 999_500 ? [1e6, 'M'] : value >= 9_995 ? [1e3, 'k'] : [1, '']
  const scaled = value / divisor
  if (divisor === 1 && scaled >= 1_000) return Math.round(scaled).toLocaleString('en-US')
  return `${Number(scaled.toPrecision(3))}${unit}`
}
