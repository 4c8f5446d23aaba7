/** Visits of the last 1.2 seconds, as the window's meaning has it: 60 tiles of 20 ms, the newest one is the one now lies in. */
const tileMs = 20
const tiles = 60

export class FreshVisits {
  /** Number of the tile and how many visits are in it, oldest first. */
  readonly #tiles: { readonly tile: number; count: number }[] = []

  /** False when it happened too long ago to be in the window. */
  add(at: number, now: number): boolean {
    const tile = Math.floor(at / tileMs)
    if (leavesAt(tile) <= now) return false
    this.leave(now)
    let place = this.#tiles.length
    while (place > 0 && this.#tiles[place - 1]!.tile > tile) place--
    const before = this.#tiles[place - 1]
    if (before?.tile === tile) before.count++
    else this.#tiles.splice(place, 0, { tile, count: 1 })
    return true
  }

  /** Drops what is out of the window. */
  leave(now: number): void {
    while (this.#tiles.length > 0 && leavesAt(this.#tiles[0]!.tile) <= now) this.#tiles.shift()
  }

  count(now: number): number {
    return this.#tiles.reduce((sum, { tile, count }) => (leavesAt(tile) > now ? sum + count : sum), 0)
  }

  /** When the oldest one leaves. */
  get nextLeaving(): number {
    return this.#tiles.length === 0 ? Infinity : leavesAt(this.#tiles[0]!.tile)
  }
}

function leavesAt(tile: number): number {
  return (tile + tiles) * tileMs
}
