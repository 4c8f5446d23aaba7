/** The variant with a state in Redis for each of very many keys: every view reads, changes and writes the one of its campaign. */
import { decodeJson, events, filter, pipeline, type Event } from 'millrace'

interface Seen {
  ad_event: { event_type: string }
}

const { profile, count } = events<Seen>()

export default pipeline({
  name: 'yahoo_keys',
  partitions: 16,
  stages: [
    decodeJson({ key: 'campaign_id' }),
    filter({ keep: (event: Event<{ event_type: string }>) => event.value.event_type === 'view' }),
  ],
  profile: profile('campaign', { traits: { views: count('ad_event') } }),
})
