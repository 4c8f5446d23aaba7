/**
 * How fast is the Yahoo Streaming Benchmark, are its counts exact, and how soon are they in Redis?
 *
 * Load: the benchmark's advertisement events as JSON. Millrace filters the views (a third), joins each ad to its campaign by a
 * lookup in Redis with a local cache, and counts by campaign and ten seconds of event time; the counts are in Redis with every
 * commit. Measured twice: draining a backlog, and under an open loop whose rate is raised until the lag grows. Staleness is
 * from when the broker stored an event to when its count was seen committed in Redis, which is looked for every 5 ms.
 *
 * The variant has a state for each of a million campaigns, which is read from Redis, changed and written back for every view;
 * each of them is there before the measurement begins.
 *
 * Every count is compared with what the messages demand. Not in it: several engines; the first, because the join decides the
 * key, has all events in one partition.
 */
import { table } from '../../engine/cli/terminal.js'
import { millraceWith } from '../contenders/millrace.js'
import { drainChecked } from '../harness/checked-drain.js'
import { rounded } from '../harness/statistics.js'
import type { Question } from '../question.js'
import { defaultCampaigns, yahooKeys } from '../workloads/yahoo/keys.js'
import { withAds } from '../workloads/yahoo/with-ads.js'
import { yahooWindows } from '../workloads/yahoo/windows.js'
import { drainsJson, drainsText } from './drained.js'
import { sustainYahoo, type Sustained } from './yahoo-sustained.js'

const quickCampaigns = 50_000
/** Each is preceded by a million keys, and followed by looking at all of them. */
const mostKeysRounds = 2

export const yahoo: Question = {
  name: 'yahoo',
  asks: 'How fast is the Yahoo Streaming Benchmark, exact, its counts in Redis within a second?',
  answer: async (options, say) => {
    const windows = await drainChecked(yahooWindows, withAds(millraceWith(options)), options, say)
    const users = options.users ?? (options.quick ? quickCampaigns : defaultCampaigns)
    const rounds = Math.min(mostKeysRounds, options.rounds)
    const keysLoad = { ...options, users, events: users + options.events, after: users, rounds }
    const keys = await drainChecked(yahooKeys, millraceWith(options), keysLoad, say)
    const sustained = await sustainYahoo(options, say)
    return {
      text: `${drainsText([windows, keys])}\n${sustainedText(sustained)}`,
      json: { ...drainsJson([windows, keys]), sustained: sustainedJson(sustained) },
      failure: windows.failure ?? keys.failure ?? sustained.failure,
    }
  },
}

function sustainedText({ rate, run, staleness, failure }: Sustained): string {
  if (run === undefined || staleness === undefined) return 'no rate was sustained\n'
  const { engine, nats, redis, generator } = run.measurement.cpuUsPerEvent
  const us = [engine, nats, redis, generator].map(value => value.toFixed(1))
  const ms = [staleness.p50, staleness.p99, staleness.p999, staleness.most].map(value => value.toFixed(1))
  const behind = run.behindMs.map(value => Math.round(value)).join(' to ')
  const rows = [[rate, run.rate, behind, ...ms, ...us, failure === undefined ? 'exact' : 'WRONG']]
  const stale = ['stale p50 ms', 'p99', 'p99.9', 'most']
  const cpu = ['engine us', 'nats us', 'redis us', 'generator us']
  return table(rows, ['sustained events/s', 'measured at', 'ms behind', ...stale, ...cpu, 'counts'])
}

function sustainedJson({ rate, run, staleness, failure }: Sustained): object {
  const { cpuUsPerEvent, rssMb } = run?.measurement ?? {}
  return {
    eventsPerSecond: rate,
    measuredAt: run?.rate,
    isSustained: run?.isSustained,
    behindMs: run?.behindMs.map(ms => rounded(ms, 1)),
    stalenessMs: staleness,
    cpuUsPerEvent:
      cpuUsPerEvent && Object.fromEntries(Object.entries(cpuUsPerEvent).map(([role, us]) => [role, rounded(us, 2)])),
    rssMb: rssMb && rounded(rssMb, 1),
    isExact: failure === undefined,
  }
}
