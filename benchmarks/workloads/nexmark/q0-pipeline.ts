/** Nexmark q0: pass every bid on, as it came. */
import { decodeJson, events, filter, pipeline, type UserEvent } from 'millrace'

interface Bid {
  auction: number
  bidder: number
  price: number
  dateTime: number
  extra: string
}

const { profile } = events<{ bid: Bid }>()

const bids = profile('bids', { traits: {} })

bids.trigger('bid', {
  on: 'bid',
  emit: (_, { auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price, dateTime, extra }),
})

export default pipeline({
  name: 'nexmark_q0',
  stages: [decodeJson({ occurredAt: 'dateTime' }), filter({ keep: (event: UserEvent) => event.type === 'bid' })],
  profile: bids,
})
