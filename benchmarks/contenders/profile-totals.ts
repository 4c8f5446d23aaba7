/** What the peers have made of the shop's events: sums over the hashes `profile:<userId>`. */
import { Redis } from 'ioredis'
import type { Totals } from '../workloads/workload.js'
import type { Site } from './contender.js'

const fields = ['sessions', 'views', 'orders', 'spend'] as const
const readAtOnce = 1_000

/** Amounts in cents. */
export async function readProfileTotals({ redisUrl }: Pick<Site, 'redisUrl'>): Promise<Totals> {
  const redis = new Redis(redisUrl)
  try {
    const keys = new Set<string>()
    // A scan may show a key twice.
    for await (const some of redis.scanStream({ match: 'profile:*', count: readAtOnce }) as AsyncIterable<string[]>) {
      for (const key of some) keys.add(key)
    }
    const totals = { sessions: 0, views: 0, orders: 0, spendCents: 0 }
    for (const some of inParts([...keys], readAtOnce)) {
      const results = (await redis.pipeline(some.map(key => ['hmget', key, ...fields])).exec()) ?? []
      for (const [error, values] of results) {
        if (error) throw error
        const [sessions, views, orders, spend] = (values as (string | null)[]).map(Number) as [
          number,
          number,
          number,
          number,
        ]
        totals.sessions += sessions
        totals.views += views
        totals.orders += orders
        // HINCRBYFLOAT leaves the noise of binary fractions; amounts have two decimals.
        totals.spendCents += Math.round(spend * 100)
      }
    }
    return totals
  } finally {
    redis.disconnect()
  }
}

function* inParts<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size)
}
