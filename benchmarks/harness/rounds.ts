/**
 * Contenders in interleaved rounds: each once a round, so that all see the same machine, and each round begins with another
 * one, so that none always follows the same. A ratio is taken within a round.
 */
import { StolenTime } from './stolen-time.js'

/** More than this of the processors' time stolen, and a round says more about the neighbours than about the contenders. */
const mostStolen = 0.05
/** So many rounds are repeated; after that the machine is taken as it is. */
const mostRepeats = 2

export interface Round<Result> {
  readonly results: ReadonlyMap<string, Result>
  /** Share of the processors' time, 0 to 1. */
  readonly stolen: number
}

export interface Rounds<Result> {
  readonly rounds: readonly Round<Result>[]
  /** Stolen share of each round that was thrown away and repeated. */
  readonly discarded: readonly number[]
}

export interface RoundsOptions {
  readonly rounds: number
  readonly say: (line: string) => void
  /** What to call the whole in reports. */
  readonly name: string
  /** Starts to measure stolen time; tests have their own. */
  readonly watch?: () => Pick<StolenTime, 'share'>
}

/** Runs every entrant `rounds` times, by name. */
export async function runRounds<Result>(
  entrants: ReadonlyMap<string, () => Promise<Result>>,
  { rounds, say, name, watch = () => new StolenTime() }: RoundsOptions,
): Promise<Rounds<Result>> {
  const kept: Round<Result>[] = []
  const discarded: number[] = []
  while (kept.length < rounds) {
    const results = new Map<string, Result>()
    const stolenTime = watch()
    for (const entrant of rotated([...entrants.keys()], kept.length)) {
      say(`${name}: round ${kept.length + 1} of ${rounds}, ${entrant}`)
      results.set(entrant, await entrants.get(entrant)!())
    }
    const stolen = stolenTime.share()
    if (stolen > mostStolen && discarded.length < mostRepeats) {
      say(`${name}: ${(stolen * 100).toFixed(1)} % of the processor time was stolen, the round is repeated`)
      discarded.push(stolen)
    } else {
      kept.push({ results, stolen })
    }
  }
  return { rounds: kept, discarded }
}

/** The same, beginning `by` places further on. */
function rotated<Value>(values: readonly Value[], by: number): Value[] {
  const from = by % Math.max(1, values.length)
  return [...values.slice(from), ...values.slice(0, from)]
}

/** What was stolen, for people. */
export function describeStolen({ rounds, discarded }: Rounds<unknown>): string {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  const most = Math.max(0, ...rounds.map(({ stolen }) => stolen))
  const repeated =
    discarded.length === 0 ? '' : `, repeated because of it: ${discarded.length} (${discarded.map(percent).join(', ')})`
  return `stolen processor time at most ${percent(most)} in a round${repeated}`
}
