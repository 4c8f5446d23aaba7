/**
 * Several contenders on the same events, in interleaved rounds. Slow ones are stopped after a while: what they got done
 * counts, and their rate is as good as anybody's. One that fails is reported, and the others go on without it.
 */
import type { Contender } from '../contenders/contender.js'
import type { BenchOptions } from '../question.js'
import { drain, type DrainBounds, type Drained } from './drain.js'
import type { Backlog } from './backlog.js'
import type { Differences } from './exactness.js'
import { OpenLoop, type LoadResult } from './open-loop.js'
import type { Rig } from './rig.js'
import { runRounds } from './rounds.js'
import { spreadOf } from './statistics.js'

/** Asked of everybody who is fast enough to be far from the limit; the others get half of what they can. */
const commonRate = 10_000
const farFromLimit = 0.6
/** The latency over load is a question of its own, with more of them; here it stands beside the rates. */
const loadRounds = 1
/** Code that has just been loaded is slow for some seconds. */
const [fullWarmUpSeconds, quickWarmUpSeconds] = [4, 1]

/** A contender that may fail on the way. */
export interface Attempted {
  readonly contender: Contender
  /** Why it takes no further part. */
  failure?: string
}

/** What a contender showed. */
export interface Standing extends Attempted {
  /** One a round; empty when it failed. */
  readonly drains: Drained[]
  /** Latency under a steady load, one a round, and whether their results were right in the end. */
  readonly loads: LoadResult[]
  readonly loadDifferences: Differences[]
}

/** Builds what is to be built. A contender that cannot be built has failed. */
export async function prepareAll(
  rig: Rig,
  contenders: readonly Contender[],
  say: (line: string) => void,
): Promise<Standing[]> {
  const standings = contenders.map((contender): Standing => ({ contender, drains: [], loads: [], loadDifferences: [] }))
  for (const standing of standings) {
    await attempt(standing, say, async () => standing.contender.prepare?.(await rig.site(standing.contender.name)))
  }
  return standings
}

/** A round's drain of one contender, from an empty state; `undefined` when it fails or has failed. */
export function drainOf(
  rig: Rig,
  standing: Standing,
  backlog: Backlog,
  bounds: DrainBounds,
  say: (line: string) => void,
): Promise<Drained | undefined> {
  return attempt(standing, say, async () => {
    await rig.reset()
    return drain(rig, standing.contender, backlog, bounds)
  })
}

/**
 * Latency of all in one round, at 10,000 events/s or at half of what a slower contender did in its drains; not of one
 * that is fed. Empties the stream.
 */
export async function measureLoads(
  rig: Rig,
  standings: readonly Standing[],
  options: BenchOptions,
  say: (line: string) => void,
): Promise<void> {
  const loaded = standings.filter(({ contender, drains }) => drains.length > 0 && !contender.isFed)
  const entrants = new Map(
    loaded.map(standing => {
      const most = spreadOf(standing.drains.map(({ eventsPerSecond }) => eventsPerSecond)).median
      const rate = most * farFromLimit > commonRate ? commonRate : Math.max(1, Math.round(most / 2))
      return [
        standing.contender.name,
        () => attempt(standing, say, () => loadOf(rig, standing, rate, options)),
      ] as const
    }),
  )
  const { rounds } = await runRounds(entrants, { rounds: loadRounds, say, name: 'latency' })
  for (const { contender, loads, loadDifferences } of loaded) {
    const results = rounds.flatMap(({ results }) => results.get(contender.name) ?? [])
    loads.push(...results.map(({ load }) => load))
    loadDifferences.push(...results.map(({ differences }) => differences).filter(found => found !== undefined))
  }
}

async function loadOf(
  rig: Rig,
  { contender }: Standing,
  rate: number,
  options: BenchOptions,
): Promise<{ load: LoadResult; differences: Differences | undefined }> {
  const loop = await OpenLoop.start(rig, contender, options)
  let load: LoadResult
  try {
    const warmUpSeconds = options.quick ? quickWarmUpSeconds : fullWarmUpSeconds
    load = await loop.run({ rate, warmUpSeconds, seconds: options.seconds })
  } finally {
    await loop.stop()
  }
  return { load, differences: load.isFinished ? await loop.differences() : undefined }
}

/** The first failure is the last: half a comparison would be none. The others go on. */
export async function attempt<Result>(
  standing: Attempted,
  say: (line: string) => void,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  if (standing.failure !== undefined) return undefined
  try {
    return await work()
  } catch (error) {
    standing.failure = error instanceof Error ? error.message : String(error)
    say(`${standing.contender.name} failed: ${standing.failure}`)
    return undefined
  }
}

/** `undefined` when it was never checked, otherwise what differed first. */
export function differencesOf({ drains, loadDifferences }: Standing): Differences | undefined {
  const all = [...drains.map(({ differences }) => differences), ...loadDifferences].filter(found => found !== undefined)
  return all.find(found => Object.keys(found).length > 0) ?? all[0]
}
