/**
 * The Yahoo Streaming Benchmark: filter the views, project what is needed, join the ad to its campaign in Redis, count views by
 * campaign and ten seconds of event time. The counts are profiles in Redis, written with every commit.
 *
 * A window is a profile of its own, `<campaign>@<start>`, so that an event which is late counts where it happened, and a
 * window that nobody needs any more goes by itself. Producers know the ad and not the campaign; as a partition is chosen by
 * what producers know, re-keying needs all ads in one.
 */
import { Redis } from 'ioredis'
import { decodeJson, defineOperator, events, filter, map, pipeline, reject, type Event } from 'millrace'

interface Seen {
  ad_event: { campaign: string }
}

/** What is left of an event before the join. */
interface Projected {
  ad: string
  at: number
}

const windowMs = 10_000

/** Looks ads up that were not seen before, all of a batch in one go, and remembers them, as the original does. */
const joinCampaign = defineOperator({
  name: 'join_campaign',
  summary: 'Make the campaign of an ad and the window of its event the key.',
  options: {},
  rejects: ['unknown_ad'],
  cost: 'One read of Redis for each ad.',
  create: () => {
    // Not an option: where Redis is does not change what comes out, and options are part of the definition's hash.
    const redis = new Redis(process.env['ADS_REDIS_URL'] ?? 'redis://127.0.0.1:6379', { lazyConnect: true })
    redis.on('error', () => undefined) // a command that fails says so too, and the batch is tried again
    const campaigns = new Map<string, string>()
    return {
      prepare: async batch => {
        const unknown = new Set<string>()
        for (const { value } of batch as readonly Event<Projected>[]) {
          if (!campaigns.has(value.ad)) unknown.add(value.ad)
        }
        if (unknown.size === 0) return
        const ads = [...unknown]
        const found = await redis.mget(ads)
        ads.forEach((ad, at) => {
          if (found[at] != null) campaigns.set(ad, found[at])
        })
      },
      process: event => {
        const { ad, at } = (event as Event<Projected>).value
        const campaign = campaigns.get(ad)
        if (campaign === undefined) return reject('unknown_ad', 'no campaign has this ad')
        const key = `${campaign}@${at - (at % windowMs)}`
        return event.with({ key, occurredAt: at, value: { campaign } })
      },
      close: () => redis.disconnect(),
    }
  },
})

const { profile, count } = events<Seen>()

export default pipeline({
  name: 'yahoo',
  partitions: 1,
  stages: [
    decodeJson({ key: 'ad_id' }),
    filter({ keep: (event: Event<{ event_type: string }>) => event.value.event_type === 'view' }),
    map({
      to: (event: Event<{ ad_id: string; event_time: string }>): Projected => ({
        ad: event.value.ad_id,
        at: Number(event.value.event_time),
      }),
    }),
    joinCampaign(),
  ],
  profile: profile('campaign_window', { ttl: '1d', traits: { views: count('ad_event') } }),
})
