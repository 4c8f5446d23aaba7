/**
 * How fast are the queries of Nexmark that are about one key at a time?
 *
 * Load: bids, auctions and people (46 : 3 : 1) of Nexmark's shape as JSON, in the stream before anything starts. q0 passes every
 * bid on as a trigger, q2 those for every 123rd auction, q18 keeps the last bid by bidder and auction as a profile. Each round
 * drains all events with `millrace run`; then every profile and every trigger is compared with what the messages demand.
 *
 * Not in it: the other queries. q12 counts by bidder, and these events are keyed by bidder and auction; joins and global
 * windows (q3 to q9) are not what Millrace is for. Where others are measured without a broker and a store, both are in here.
 */
import { millraceWith } from '../contenders/millrace.js'
import { drainChecked, type CheckedDrains } from '../harness/checked-drain.js'
import type { Question } from '../question.js'
import { nexmarkQ0, nexmarkQ18, nexmarkQ2 } from '../workloads/nexmark/nexmark.js'
import { drainsJson, drainsText } from './drained.js'

export const nexmark: Question = {
  name: 'nexmark',
  asks: 'How fast are Nexmark q0 (pass), q2 (filter) and q18 (last by key)?',
  answer: async (options, say) => {
    const results: CheckedDrains[] = []
    for (const workload of [nexmarkQ0, nexmarkQ2, nexmarkQ18]) {
      results.push(await drainChecked(workload, millraceWith(options), options, say))
    }
    const failure = results.find(({ failure }) => failure !== undefined)?.failure
    return { text: drainsText(results), json: drainsJson(results), failure }
  },
}
