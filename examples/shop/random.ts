/** Random numbers that are the same on every machine for the same seed. */
export interface Random {
  /** At least 0, less than 1. */
  number(): number
  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number
  /** True with this probability. */
  chance(probability: number): boolean
  pick<Value>(from: readonly Value[]): Value
  bytes(length: number): Buffer
}

/** Mulberry32 (Tommy Ettinger, public domain): 32 bits of state, a period of 2^32, far more than a demo needs. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  const number = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (least: number, most: number) => least + Math.floor(number() * (most - least + 1))
  return {
    number,
    whole,
    chance: probability => number() < probability,
    pick: from => from[whole(0, from.length - 1)]!,
    bytes: length => Buffer.from(Array.from({ length }, () => whole(0, 255))),
  }
}

/**
 * A rank below `count`, low ones more often: the probability falls about as 1 / (rank + flatness), which is Zipf's law with
 * its head cut off, so that no single rank takes more than a percent or so.
 */
export function skewedRank(random: Random, count: number, flatness: number): number {
  return Math.min(count - 1, Math.floor(flatness * ((1 + count / flatness) ** random.number() - 1)))
}
