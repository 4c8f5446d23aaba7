import t from 'tap'
import {
  adEvents,
  campaignOfAd,
  uuid,
  windowMs,
  type AdEvent,
} from '../../../../benchmarks/workloads/yahoo/ad-events.js'
import { yahooKeys } from '../../../../benchmarks/workloads/yahoo/keys.js'
import { yahooWindows } from '../../../../benchmarks/workloads/yahoo/windows.js'
import { loadPipeline } from '../../../../engine/load-pipeline.js'
import { seeded } from '../../../../examples/shop/random.js'

const at = 1_700_000_003_000
const options = { seed: 1, events: 30_000, clock: () => at }
const decoded = [...adEvents(options)].map(({ payload }) => JSON.parse(payload.toString()) as AdEvent)
const share = (holds: (event: AdEvent) => boolean) => decoded.filter(holds).length / decoded.length

t.test('there are 100 campaigns of ten ads each', async t => {
  t.equal(campaignOfAd.size, 1_000)
  const sizes = new Map<string, number>()
  for (const campaign of campaignOfAd.values()) sizes.set(campaign, (sizes.get(campaign) ?? 0) + 1)
  t.equal(sizes.size, 100)
  t.ok([...sizes.values()].every(size => size === 10))
})

t.test('an event has the members of the original, in its order, and ids like its own', async t => {
  const members = ['user_id', 'page_id', 'ad_id', 'ad_type', 'event_type', 'event_time', 'ip_address']
  t.strictSame(Object.keys(decoded[0]!), members)
  t.match(uuid(seeded(1)), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/)
  t.ok(decoded.every(({ user_id, ad_id }) => user_id.length === 36 && campaignOfAd.has(ad_id)))
})

t.test('views, clicks and purchases are a third each', async t => {
  for (const type of ['view', 'click', 'purchase']) {
    const found = share(event => event.event_type === type)
    // Four standard deviations of 30,000 draws with a probability of a third.
    t.ok(Math.abs(found - 1 / 3) < 0.011, `${type}: ${found}`)
  }
})

t.test('an event happened within 50 ms of its time, but for the few that are late', async t => {
  const aside = decoded.map(({ event_time }) => Number(event_time) - at)
  t.ok(aside.every(ms => ms <= 50 && ms >= -60_050))
  t.ok(share(({ event_time }) => Math.abs(Number(event_time) - at) <= 50) > 0.999)
})

t.test('the same seed gives the same events, another one others', async t => {
  const some = (seed: number) => [...adEvents({ ...options, events: 50, seed })]
  t.strictSame(some(1), some(1))
  t.notSame(some(1), some(2))
})

t.test('views are expected by campaign and window, at the time at which they happened', async t => {
  const [ad, other] = [...campaignOfAd.keys()] as [string, string]
  const campaign = campaignOfAd.get(ad)!
  t.equal(campaignOfAd.get(other), campaign)
  const tally = yahooWindows.tally()
  const add = (ad_id: string, event_type: string, event_time: number) => {
    const payload = Buffer.from(JSON.stringify({ ad_id, event_type, event_time: String(event_time) }))
    tally.add({ subject: '', payload, messageId: '' })
  }
  const start = 1_700_000_000_000
  add(ad, 'view', start)
  add(other, 'view', start + windowMs - 1)
  add(ad, 'view', start + windowMs)
  add(ad, 'view', start - 1)
  add(ad, 'click', start)
  t.strictSame(
    [...tally.outcome().profiles],
    [
      [`${campaign}@${start}`, { views: 2 }],
      [`${campaign}@${start + windowMs}`, { views: 1 }],
      [`${campaign}@${start - windowMs}`, { views: 1 }],
    ],
  )
  t.strictSame(tally.totals(), { views: 4 })
})

t.test('with very many keys, each is viewed once before anything else happens', async t => {
  const messages = [...yahooKeys.messages({ ...options, events: 130, users: 100 })]
  const events = messages.map(
    ({ payload }) => JSON.parse(payload.toString()) as { campaign_id: string; event_type: string },
  )
  const keys = new Set(events.slice(0, 100).map(event => event.campaign_id))
  t.equal(keys.size, 100)
  t.ok(events.slice(0, 100).every(event => event.event_type === 'view'))
  t.ok(events.slice(100).every(event => keys.has(event.campaign_id)))
  t.equal(events.slice(100).filter(event => event.event_type === 'view').length, 10)
  const tally = yahooKeys.tally()
  for (const message of messages) tally.add(message)
  t.strictSame(tally.totals(), { views: 110 })
  t.equal(tally.outcome().profiles.size, 100)
})

t.test('the pipelines have no problems', async t => {
  for (const { pipelineFile, partitions } of [yahooWindows, yahooKeys]) {
    t.equal((await loadPipeline(pipelineFile)).pipeline.partitions, partitions)
  }
})
