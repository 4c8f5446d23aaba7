/**
 * Nexmark's events as JSON: of fifty, one is a person, three are auctions and 46 are bids, with the hot auctions and bidders and
 * the average sizes of the generator of nexmark/nexmark (`NexmarkConfiguration`, `BidGenerator`). Ids are numbers of a sequence;
 * later events are about later people and auctions.
 *
 * A bid's key names its bidder and its auction, both of which the producer knows.
 */
import { seeded, type Random } from '../../../examples/shop/random.js'
import type { LoadOptions, Message } from '../workload.js'

export interface Bid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  /** Epoch milliseconds. */
  readonly dateTime: number
  readonly extra: string
}

interface AuctionEvent {
  readonly type: 'person' | 'auction' | 'bid'
  readonly key: string
  readonly value: object
}

const perEpoch = { person: 1, auction: 3, bid: 46 }
const epoch = perEpoch.person + perEpoch.auction + perEpoch.bid
const bytes = { person: 200, auction: 500, bid: 100 }

const firstId = 1000
const idLead = 10
const categories = 5
const inFlightAuctions = 100
const activePeople = 1000
/** One of these many bids is for any auction in flight, the others for a hot one; the same for bidders and sellers. */
const hotAuctionRatio = 2
const hotBidderRatio = 4
const hotSellerRatio = 4
/** Of these many in a row, one is hot. */
const hotEvery = 100

/** Exactly `events` messages. */
export function* auctionEvents({ seed, events, clock }: LoadOptions): Generator<Message, void> {
  const random = seeded(seed)
  for (let number = 0; number < events; number++) {
    const { type, key, value } = makeEvent(random, number, clock())
    const payload = Buffer.from(JSON.stringify({ key, ...value }))
    yield { subject: `events.nexmark.${type}.${key}`, payload, messageId: `nexmark-${seed}-${number}` }
  }
}

function makeEvent(random: Random, number: number, dateTime: number): AuctionEvent {
  const offset = number % epoch
  const people = Math.floor(number / epoch) + 1
  const auctions =
    Math.floor(number / epoch) * perEpoch.auction +
    Math.min(Math.max(offset - perEpoch.person + 1, 0), perEpoch.auction)
  if (offset < perEpoch.person) {
    const id = firstId + people - 1
    const name = `Person ${id}`
    const extra = filler(random, bytes.person - name.length)
    return {
      type: 'person',
      key: String(id),
      value: { name, email: `${id}@example.com`, state: 'OR', dateTime, extra },
    }
  }
  if (offset < perEpoch.person + perEpoch.auction) {
    const id = firstId + auctions - 1
    const initialBid = price(random)
    const seller = firstId + (random.whole(1, hotSellerRatio) > 1 ? hot(people) : anyone(random, people))
    const category = 10 + random.whole(0, categories - 1)
    const extra = filler(random, bytes.auction - 80)
    const value = { itemName: `Item ${id}`, initialBid, seller, category, dateTime, extra }
    return { type: 'auction', key: String(id), value }
  }
  const auction = firstId + (random.whole(1, hotAuctionRatio) > 1 ? hot(auctions) : anyAuction(random, auctions))
  const bidder = firstId + (random.whole(1, hotBidderRatio) > 1 ? hot(people) + 1 : anyone(random, people))
  const bid: Bid = { auction, bidder, price: price(random), dateTime, extra: filler(random, bytes.bid - 32) }
  return { type: 'bid', key: `${bidder}-${auction}`, value: bid }
}

/** The first of the last hundred. */
function hot(count: number): number {
  return Math.floor((count - 1) / hotEvery) * hotEvery
}

/** One that is active, or will be soon. */
function anyone(random: Random, people: number): number {
  return random.whole(Math.max(0, people - activePeople), people - 1 + idLead)
}

function anyAuction(random: Random, auctions: number): number {
  return random.whole(Math.max(0, auctions - 1 - inFlightAuctions), auctions - 1 + idLead)
}

/** Cents, as often in each power of ten from 1 to 1,000,000 dollars. */
function price(random: Random): number {
  return Math.round(10 ** (random.number() * 6) * 100)
}

/** Text of `length` on average, a fifth more or less. */
function filler(random: Random, length: number): string {
  return 'x'.repeat(Math.round(length * (0.8 + 0.4 * random.number())))
}
