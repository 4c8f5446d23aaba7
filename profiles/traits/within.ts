import { never, type Occurrence, type TraitKind } from './kind.js'

/** `[tile, state, tile, state, ...]`, tiles ascending. A tile is the number of whole tile lengths since the epoch. */
type Tiles<State> = (number | State)[]

/** A window has at most this many tiles: what a windowed trait costs at most, in states. */
export const maxTiles = 60

/** A trait over the recent past. */
export interface WindowedKind<State = unknown, Input = unknown, Value = unknown> extends TraitKind<
  Tiles<State>,
  Input,
  Value
> {
  readonly windowMs: number
  /** True when the event is older than the window: it must not be folded. */
  isLate(occurrence: Occurrence): boolean
}

/**
 * Turns any kind into one over a window of event time. The window is the newest tiles, ending with the one that `now` is in:
 * with 60 tiles an event counts for between 59/60 of the window and all of it. A late event lands in the tile it happened in.
 */
export function within<State, Input, Value>(
  kind: TraitKind<State, Input, Value>,
  windowMs: number,
): WindowedKind<State, Input, Value> {
  const tileMs = Math.ceil(windowMs / maxTiles)
  const tileCount = Math.ceil(windowMs / tileMs)
  const oldestAt = (now: number) => Math.floor(now / tileMs) - tileCount + 1

  const firstInside = (tiles: Tiles<State>, now: number) => {
    const oldest = oldestAt(now)
    let i = 0
    while (i < tiles.length && (tiles[i] as number) < oldest) i += 2
    return i
  }
  const rollUp = (tiles: Tiles<State>, now: number) => {
    let total = kind.empty()
    for (let i = firstInside(tiles, now); i < tiles.length; i += 2) total = kind.merge(total, tiles[i + 1] as State)
    return total
  }
  /** Index of the tile, or where it belongs; searched from the end, because most events are new. */
  const placeOf = (tiles: Tiles<State>, tile: number) => {
    let i = tiles.length
    while (i > 0 && (tiles[i - 2] as number) >= tile) i -= 2
    return i
  }

  return {
    name: kind.name,
    windowMs,
    // A tile's number and a longer list header come on top.
    growthBytes: kind.growthBytes + 14,
    keepsInput: kind.keepsInput,
    isLate: ({ at, now }) => Math.floor(at / tileMs) < oldestAt(now),
    empty: () => [],
    fold: (tiles, input, occurrence) => {
      const gone = firstInside(tiles, occurrence.now)
      if (gone > 0) tiles.splice(0, gone)
      const tile = Math.floor(occurrence.at / tileMs)
      const place = placeOf(tiles, tile)
      if (tiles[place] === tile) tiles[place + 1] = kind.fold(tiles[place + 1] as State, input, occurrence)
      else tiles.splice(place, 0, tile, kind.fold(kind.empty(), input, occurrence))
      return tiles
    },
    merge: (into, from) => {
      for (let i = 0; i < from.length; i += 2) {
        const tile = from[i] as number
        const place = placeOf(into, tile)
        if (into[place] !== tile) into.splice(place, 0, tile, kind.empty())
        into[place + 1] = kind.merge(into[place + 1] as State, from[i + 1] as State)
      }
      return into
    },
    read: (tiles, now) => kind.read(rollUp(tiles, now), now),
    nextChange: (tiles, now) => {
      const i = firstInside(tiles, now)
      if (i >= tiles.length) return Infinity
      const leavesAt = ((tiles[i] as number) + tileCount) * tileMs
      return kind.nextChange === never ? leavesAt : Math.min(leavesAt, kind.nextChange(rollUp(tiles, now), now))
    },
  }
}
