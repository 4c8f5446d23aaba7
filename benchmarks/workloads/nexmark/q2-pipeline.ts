/** Nexmark q2: `SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0`. */
import { decodeJson, events, filter, pipeline, type Event } from 'millrace'

interface Bid {
  auction: number
  price: number
}

const { profile } = events<{ bid: Bid }>()

const selection = profile('selection', { traits: {} })

selection.trigger('selected', { on: 'bid', emit: (_, { auction, price }) => ({ auction, price }) })

export default pipeline({
  name: 'nexmark_q2',
  stages: [
    decodeJson({ occurredAt: 'dateTime' }),
    filter({ keep: (event: Event<Bid>) => event.type === 'bid' && event.value.auction % 123 === 0 }),
  ],
  profile: selection,
})
