import type { Rules } from './rules.js'

/**
 * Finds the consumers of a point. The circle is cut wherever a range begins or ends; for each piece it is known who wants it,
 * so that a lookup is one binary search whatever the number of consumers.
 */
export class Matcher {
  /** Where pieces begin, ascending; the first one at 0. */
  readonly #cuts: Float64Array
  /** Consumers of piece `i` are `members[from[i]] ... members[from[i + 1] - 1]`. */
  readonly #from: Uint32Array
  readonly #members: Uint32Array

  constructor({ starts, widths }: Rules) {
    const ends = starts.map((start, consumer) => {
      const end = start + widths[consumer]!
      return end < 1 ? end : end - 1
    })
    const byStart = order(starts)
    const byEnd = order(ends)
    const active = new Set<number>()
    starts.forEach((start, consumer) => {
      if (ends[consumer]! < start) active.add(consumer) // it wraps, so it holds at 0
    })
    const cuts = new Float64Array(2 * starts.length + 1)
    const from = new Uint32Array(2 * starts.length + 2)
    const members: number[] = [...active]
    from[1] = members.length
    let [started, ended] = [0, 0]
    for (let piece = 1; piece < cuts.length; piece++) {
      const nextStart = started < starts.length ? starts[byStart[started]!]! : Infinity
      const nextEnd = ended < ends.length ? ends[byEnd[ended]!]! : Infinity
      if (nextEnd <= nextStart) active.delete(byEnd[ended++]!)
      else active.add(byStart[started++]!)
      cuts[piece] = Math.min(nextStart, nextEnd)
      for (const consumer of active) members.push(consumer)
      from[piece + 1] = members.length
    }
    this.#cuts = cuts
    this.#from = from
    this.#members = Uint32Array.from(members)
  }

  /** Consumers whose range holds the point, each once. */
  match(point: number): Uint32Array {
    const piece = this.#lastAtOrBefore(point)
    return this.#members.subarray(this.#from[piece]!, this.#from[piece + 1]!)
  }

  /** The last of equal cuts: those before it are pieces of no width. */
  #lastAtOrBefore(point: number): number {
    let [low, high] = [0, this.#cuts.length]
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (this.#cuts[middle]! <= point) low = middle
      else high = middle
    }
    return low
  }
}

function order(values: Float64Array): Uint32Array {
  return Uint32Array.from(values, (_, index) => index).sort((left, right) => values[left]! - values[right]!)
}
