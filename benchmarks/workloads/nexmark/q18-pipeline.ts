/** Nexmark q18: the last bid of each bidder on each auction. */
import { decodeJson, events, filter, pipeline, type UserEvent } from 'millrace'

interface Bid {
  auction: number
  bidder: number
  price: number
  dateTime: number
  extra: string
}

const { profile, last } = events<{ bid: Bid }>()

export default pipeline({
  name: 'nexmark_q18',
  stages: [decodeJson({ occurredAt: 'dateTime' }), filter({ keep: (event: UserEvent) => event.type === 'bid' })],
  profile: profile('last_bid', {
    traits: {
      bid: last('bid', ({ auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price, dateTime, extra })),
    },
  }),
})
