/**
 * A load that gives everybody a profile: three events of the personalization workload for each person, which touch what the
 * events of a first visit touch. The generator of the example shop would need far more than a hundred million events for that,
 * because few people come often and many hardly ever.
 */
import { encode, readSchemas } from '../../examples/shop/avro.js'
import { seeded } from '../../examples/shop/random.js'
import { personalization, shopFolder } from '../workloads/personalization/workload.js'
import type { LoadOptions, Message, Workload } from '../workloads/workload.js'

/** A session, a view, and by turns an account, a cart or an order. */
export const eventsEach = 3
/** People who come at the same time; one's events are that far apart. */
const together = 1_000

const schemas = await readSchemas(`${shopFolder}schemas`)
const countries = ['DE', 'FR', 'GB', 'IN', 'JP', 'NG', 'US', 'BR'] as const

export const everyone: Workload = {
  name: 'everyone',
  partitions: personalization.partitions,
  pipelineFile: personalization.pipelineFile,
  messages,
}

function* messages({ seed, events, clock }: LoadOptions): Generator<Message, void> {
  const random = seeded(seed)
  const users = Math.ceil(events / eventsEach)
  const ids = (user: number) => `u${String(user + 1).padStart(6, '0')}`
  let number = 0
  for (let first = 0; first < users; first += together) {
    for (let kind = 0; kind < eventsEach; kind++) {
      for (let user = first; user < Math.min(users, first + together) && number < events; user++, number++) {
        const userId = ids(user)
        const [type, fields] = kind === 0 ? session() : kind === 1 ? view() : milestone(user, userId)
        const value = { id: `e${seed}-${number}`, userId, occurredAt: clock(), ...fields }
        yield {
          subject: `events.shop.${type}.${userId}`,
          payload: encode(schemas.get(type)!, value),
          messageId: `everyone-${seed}-${number}`,
        }
      }
    }
  }

  function session() {
    return ['session_started', { device: random.pick(['phone', 'desktop', 'tablet']) }] as const
  }

  function view() {
    return ['product_viewed', { productId: `p${String(random.whole(1, 500)).padStart(3, '0')}` }] as const
  }

  function milestone(user: number, userId: string) {
    const plan = random.chance(0.2) ? 'pro' : 'free'
    const amount = random.whole(500, 25_000) / 100
    const cartId = `c${user}`
    if (user % 2 === 0)
      return ['signed_up', { email: `${userId}@example.com`, plan, country: random.pick(countries) }] as const
    if (user % 4 === 1) return ['cart_updated', { cartId, value: amount, items: 1 }] as const
    return ['checkout_completed', { cartId, orderId: `o${user}`, total: amount }] as const
  }
}
