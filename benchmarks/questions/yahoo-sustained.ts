/** The Yahoo benchmark under a load that does not wait: what can be sustained, and how stale its counts are then. */
import { millraceWith } from '../contenders/millrace.js'
import { checkOutcome, inOneSentence } from '../harness/check-outcome.js'
import type { Percentiles } from '../harness/latency-histogram.js'
import { OpenLoop, type Load, type LoadResult } from '../harness/open-loop.js'
import { Rig } from '../harness/rig.js'
import { StalenessWatch } from '../harness/staleness.js'
import { sustainedRate } from '../harness/sustained.js'
import type { BenchOptions } from '../question.js'
import type { LoadOptions, Message } from '../workloads/workload.js'
import { withAds } from '../workloads/yahoo/with-ads.js'
import { yahooWindows } from '../workloads/yahoo/windows.js'

/** What the short trials found has to hold for longer: it, or the highest of these shares of it that does. */
const full = {
  search: { from: 40_000, most: 200_000, trials: 8, warmUpSeconds: 1, seconds: 2.5 },
  shares: [1, 0.9, 0.8, 0.7],
  warmUpSeconds: 2,
}
const quick: typeof full = {
  search: { from: 40_000, most: 80_000, trials: 3, warmUpSeconds: 0.5, seconds: 1 },
  shares: [1, 0.7],
  warmUpSeconds: 0.5,
}

export interface Sustained {
  /** Events a second that were sustained over the whole run; 0 when none were. */
  readonly rate: number
  /** The last run, sustained or not; absent when not even a short trial was. */
  readonly run: LoadResult | undefined
  readonly staleness: Percentiles | undefined
  /** What was wrong with the counts of all runs together. */
  readonly failure: string | undefined
}

export async function sustainYahoo(options: BenchOptions, say: (line: string) => void): Promise<Sustained> {
  const sizes = options.quick ? quick : full
  const tally = yahooWindows.tally()
  const rig = await Rig.start({ ...yahooWindows, messages: load => tallied(load) }, say)
  try {
    const loop = await OpenLoop.start(rig, withAds(millraceWith(options)), options)
    let result: Omit<Sustained, 'failure'>
    try {
      const rates = options.rate === undefined ? await candidates(loop, sizes, say) : [options.rate]
      result = await confirm(rig, loop, rates, { ...sizes, ...options }, say)
    } finally {
      await loop.stop()
    }
    say('yahoo: checking every count')
    return { ...result, failure: inOneSentence(await checkOutcome(rig, tally.outcome())) }
  } finally {
    await rig.stop()
  }

  function* tallied(load: LoadOptions): Generator<Message, void> {
    for (const message of yahooWindows.messages(load)) {
      tally.add(message)
      yield message
    }
  }
}

/** Runs at the rate, or at less, until it is sustained. */
async function confirm(
  rig: Rig,
  loop: OpenLoop,
  rates: readonly number[],
  { warmUpSeconds, seconds }: Pick<Load, 'warmUpSeconds' | 'seconds'>,
  say: (line: string) => void,
): Promise<Omit<Sustained, 'failure'>> {
  let last: Omit<Sustained, 'failure'> = { rate: 0, run: undefined, staleness: undefined }
  for (const rate of rates) {
    say(`yahoo: ${rate} events/s for ${warmUpSeconds} + ${seconds} s`)
    const watch = new StalenessWatch(rig)
    const run = await loop.run({ rate, warmUpSeconds, seconds, hasLatency: false })
    const { lastSeq } = await rig.streams.freshFacts(rig.config.streams.events)
    const staleness = await watch.stop(lastSeq - Math.round(rate * seconds))
    last = { rate: run.isSustained ? rate : 0, run, staleness }
    if (run.isSustained || !run.isFinished) break
  }
  return last
}

/** Highest first; none when not even the lowest rate tried was sustained. */
async function candidates(
  loop: OpenLoop,
  { search, shares }: typeof full,
  say: (line: string) => void,
): Promise<number[]> {
  const tryRate = async (rate: number) => {
    const { isSustained, isFinished, measurement } = await loop.run({ ...search, rate, hasLatency: false })
    const doneRate = measurement.eventsPerSecond
    say(`yahoo: ${rate} events/s ${isSustained ? 'sustained' : `not sustained, ${Math.round(doneRate)} done`}`)
    return { isSustained, isFinished, doneRate }
  }
  const { sustained } = await sustainedRate(tryRate, search)
  return sustained === 0 ? [] : shares.map(share => Math.round(sustained * share))
}
