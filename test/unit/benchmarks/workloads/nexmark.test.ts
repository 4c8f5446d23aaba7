import t from 'tap'
import { auctionEvents, type Bid } from '../../../../benchmarks/workloads/nexmark/auction-events.js'
import { nexmarkQ0, nexmarkQ18, nexmarkQ2 } from '../../../../benchmarks/workloads/nexmark/nexmark.js'
import { triggerText } from '../../../../benchmarks/workloads/outcome.js'
import { loadPipeline } from '../../../../engine/load-pipeline.js'
import type { Message } from '../../../../benchmarks/workloads/workload.js'

const messages = [...auctionEvents({ seed: 1, events: 50_000, clock: () => 1_700_000_000_000 })]
const ofType = (type: string) => messages.filter(({ subject }) => subject.startsWith(`events.nexmark.${type}.`))
const bids = ofType('bid').map(({ payload }) => JSON.parse(payload.toString()) as Bid)

function bidOf(auction: number, bidder: number, price: number, dateTime: number): Message {
  const key = `${bidder}-${auction}`
  const payload = Buffer.from(JSON.stringify({ key, auction, bidder, price, dateTime, extra: 'x' }))
  return { subject: `events.nexmark.bid.${key}`, payload, messageId: '' }
}

t.test('of fifty events one is a person, three are auctions and 46 bids', async t => {
  t.strictSame(
    ['person', 'auction', 'bid'].map(type => ofType(type).length),
    [1_000, 3_000, 46_000],
  )
})

t.test('half of the bids are for a hot auction, three quarters by a hot bidder', async t => {
  const share = (holds: (bid: Bid) => boolean) => bids.filter(holds).length / bids.length
  // Some that are not hot are taken by chance: one in a hundred.
  const auctions = share(({ auction }) => auction % 100 === 0)
  const bidders = share(({ bidder }) => bidder % 100 === 1)
  t.ok(auctions > 0.49 && auctions < 0.53, String(auctions))
  t.ok(bidders > 0.74 && bidders < 0.78, String(bidders))
})

t.test('a bid is for an auction that is there or will be soon', async t => {
  let auctions = 0
  for (const { subject, payload } of messages) {
    if (subject.startsWith('events.nexmark.auction.')) auctions++
    if (!subject.startsWith('events.nexmark.bid.')) continue
    const { auction } = JSON.parse(payload.toString()) as Bid
    if (auction < 1_000 || auction >= 1_000 + auctions + 10) return t.fail(`auction ${auction} after ${auctions}`)
  }
  t.equal(auctions, 3_000)
})

t.test('the key of a message is what its payload says', async t => {
  for (const { subject, payload } of messages.slice(0, 500)) {
    const { key } = JSON.parse(payload.toString()) as { key: string }
    if (!subject.endsWith(`.${key}`)) return t.fail(subject)
  }
})

t.test('q0 expects every bid, q2 those for every 123rd auction', async t => {
  const [all, selected] = [nexmarkQ0.tally(), nexmarkQ2.tally()]
  for (const message of [bidOf(1230, 7, 5, 1), bidOf(1231, 7, 6, 2), bidOf(1230, 7, 5, 1)]) {
    all.add(message)
    selected.add(message)
  }
  const text = triggerText('bid', '7-1230', { auction: 1230, bidder: 7, price: 5, dateTime: 1, extra: 'x' })
  t.equal(all.outcome().triggers.get(text), 2)
  t.equal(all.outcome().triggers.size, 2)
  t.strictSame([...selected.outcome().triggers], [[triggerText('selected', '7-1230', { auction: 1230, price: 5 }), 2]])
})

t.test('q18 expects the bid that happened last, of those at the same time the one that came last', async t => {
  const tally = nexmarkQ18.tally()
  for (const [price, time] of [
    [1, 10],
    [2, 30],
    [3, 20],
    [4, 30],
  ] as const)
    tally.add(bidOf(1000, 7, price, time))
  t.equal((tally.outcome().profiles.get('7-1000')!['bid'] as Bid).price, 4)
  t.strictSame(tally.totals(), { profiles: 1, price: 4 })
})

t.test('the pipelines have no problems', async t => {
  for (const { pipelineFile, partitions } of [nexmarkQ0, nexmarkQ2, nexmarkQ18]) {
    t.equal((await loadPipeline(pipelineFile)).pipeline.partitions, partitions)
  }
})
