/** Queries of Nexmark that are about one key at a time. */
import { fileURLToPath } from 'node:url'
import { countOne, triggerText, type CheckedWorkload, type OutcomeTally, type Traits } from '../outcome.js'
import type { Message } from '../workload.js'
import { auctionEvents, type Bid } from './auction-events.js'

/** Every bid is passed on. */
export const nexmarkQ0 = query('q0', (outcome, key, bid) => {
  countOne(outcome.triggers, triggerText('bid', key, bid))
  outcome.profiles.set(key, {})
})

/** Bids for every 123rd auction are passed on. */
export const nexmarkQ2 = query('q2', (outcome, key, { auction, price }) => {
  if (auction % 123 !== 0) return
  countOne(outcome.triggers, triggerText('selected', key, { auction, price }))
  outcome.profiles.set(key, {})
})

/** The last bid by bidder and auction is kept. */
export const nexmarkQ18 = query('q18', ({ profiles }, key, bid) => {
  const before = profiles.get(key)?.['bid'] as Bid | undefined
  // Of bids in the same millisecond the one that came last.
  if (before === undefined || before.dateTime <= bid.dateTime) profiles.set(key, { bid })
})

interface Collected {
  readonly profiles: Map<string, Traits>
  readonly triggers: Map<string, number>
}

type Collect = (outcome: Collected, key: string, bid: Bid) => void

function query(name: string, collect: Collect): CheckedWorkload {
  const file = `../../../../benchmarks/workloads/nexmark/${name}-pipeline.ts`
  return {
    name: `nexmark_${name}`,
    partitions: 16,
    pipelineFile: fileURLToPath(new URL(file, import.meta.url)),
    messages: auctionEvents,
    tally: () => new BidTally(collect),
    totalsOf: ({ bid }) => ({ profiles: 1, price: (bid as Bid | undefined)?.price ?? 0 }),
  }
}

class BidTally implements OutcomeTally {
  readonly #outcome: Collected = { profiles: new Map(), triggers: new Map() }

  constructor(private readonly collect: Collect) {}

  add({ subject, payload }: Message): void {
    if (!subject.startsWith('events.nexmark.bid.')) return
    const { key, ...bid } = JSON.parse(payload.toString()) as Bid & { key: string }
    this.collect(this.#outcome, key, bid)
  }

  totals() {
    const kept = [...this.#outcome.profiles.values()].map(({ bid }) => bid as Bid | undefined)
    return { profiles: kept.length, price: kept.reduce((sum, bid) => sum + (bid?.price ?? 0), 0) }
  }

  outcome() {
    return this.#outcome
  }
}
