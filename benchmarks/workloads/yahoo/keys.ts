/**
 * The variant of the benchmark with very many keys, after `HighKeyCardinalityGenerator` of
 * dataArtisans/yahoo-streaming-benchmark: events carry their campaign, one of a million; types take turns; there is nothing to
 * join. Each view increments the state of its campaign.
 *
 * Before them comes one view for each campaign, so that afterwards every increment meets a state that is there already.
 */
import { fileURLToPath } from 'node:url'
import { seeded } from '../../../examples/shop/random.js'
import { countOne, type CheckedWorkload, type OutcomeTally } from '../outcome.js'
import type { LoadOptions, Message } from '../workload.js'
import { uuid } from './ad-events.js'

export const defaultCampaigns = 1_000_000

export const yahooKeys: CheckedWorkload = {
  name: 'yahoo_keys',
  partitions: 16,
  pipelineFile: fileURLToPath(new URL('../../../../benchmarks/workloads/yahoo/keys-pipeline.ts', import.meta.url)),
  messages: keyEvents,
  tally: () => new KeyTally(),
  totalsOf: ({ views }) => ({ views: views as number }),
}

const eventTypes = ['view', 'click', 'purchase'] as const

/** `users` campaigns; the first events are a view of each. */
function* keyEvents({ seed, events, users = defaultCampaigns, clock }: LoadOptions): Generator<Message, void> {
  const random = seeded(seed)
  const start = `{"user_id":"${uuid(random)}","page_id":"${uuid(random)}","campaign_id":"`
  const prefix = uuid(random).slice(0, -8)
  const campaign = (rank: number) => prefix + rank.toString(16).padStart(8, '0')
  for (let number = 0; number < events; number++) {
    const isFirst = number < users
    const id = campaign(isFirst ? number : random.whole(0, users - 1))
    const type = isFirst ? 'view' : eventTypes[(number - users) % eventTypes.length]!
    const payload = `${start}${id}","ad_type":"banner78","event_type":"${type}","event_time":"${clock()}","ip_address":"1.2.3.4"}`
    yield { subject: `events.web.ad_event.${id}`, payload: Buffer.from(payload), messageId: `view-${seed}-${number}` }
  }
}

class KeyTally implements OutcomeTally {
  readonly #views = new Map<string, number>()

  add({ payload }: Message): void {
    const { campaign_id, event_type } = JSON.parse(payload.toString()) as { campaign_id: string; event_type: string }
    if (event_type === 'view') countOne(this.#views, campaign_id)
  }

  totals() {
    return { views: [...this.#views.values()].reduce((sum, views) => sum + views, 0) }
  }

  outcome() {
    return { profiles: new Map([...this.#views].map(([key, views]) => [key, { views }])), triggers: new Map() }
  }
}
