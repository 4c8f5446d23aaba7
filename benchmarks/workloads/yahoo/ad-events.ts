/**
 * Advertisement events as the generator of the Yahoo Streaming Benchmark writes them (`data/src/setup/core.clj` of
 * yahoo/streaming-benchmarks, with skew): the same members in the same order, ids that are UUIDs, the time as text, a third of
 * the events a view, all ads and types equally likely, a jitter of 50 ms either way, and one event in 100,000 late by up to a
 * minute.
 */
import { seeded, type Random } from '../../../examples/shop/random.js'
import type { LoadOptions, Message } from '../workload.js'

/** An event, decoded. */
export interface AdEvent {
  readonly user_id: string
  readonly page_id: string
  readonly ad_id: string
  readonly ad_type: string
  readonly event_type: 'view' | 'click' | 'purchase'
  /** Epoch milliseconds, as text. */
  readonly event_time: string
  readonly ip_address: string
}

/** Length of the windows that views are counted in. */
export const windowMs = 10_000

const campaigns = 100
const adsPerCampaign = 10
const people = 100
const pages = 100
const adTypes = ['banner', 'modal', 'sponsored-search', 'mail', 'mobile']
const eventTypes = ['view', 'click', 'purchase']
const lateShare = 1 / 100_000
const lateByMs = 60_000
const jitterMs = 50

/** Which campaign each ad belongs to. Always the same: the events of every seed are about these ads. */
export const campaignOfAd: ReadonlyMap<string, string> = makeAds()

/** Exactly `events` messages. The key is the ad: the campaign is what the pipeline has to find out. */
export function* adEvents({ seed, events, clock }: LoadOptions): Generator<Message, void> {
  const random = seeded(seed)
  const ads = [...campaignOfAd.keys()]
  const users = Array.from({ length: people }, () => uuid(random))
  const sites = Array.from({ length: pages }, () => uuid(random))
  for (let number = 0; number < events; number++) {
    const ad = random.pick(ads)
    const payload =
      `{"user_id": "${random.pick(users)}", "page_id": "${random.pick(sites)}", "ad_id": "${ad}", ` +
      `"ad_type": "${random.pick(adTypes)}", "event_type": "${random.pick(eventTypes)}", ` +
      `"event_time": "${eventTime(random, clock())}", "ip_address": "1.2.3.4"}`
    yield { subject: `events.web.ad_event.${ad}`, payload: Buffer.from(payload), messageId: `ad-${seed}-${number}` }
  }
}

function eventTime(random: Random, now: number): number {
  const lateMs = random.chance(lateShare) ? random.whole(0, lateByMs) : 0
  return now + random.whole(-jitterMs, jitterMs) - lateMs
}

/** Text that looks like a random UUID. */
export function uuid(random: Random): string {
  const part = () =>
    Math.floor(random.number() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  const [a, b, c, d] = [part(), part(), part(), part()]
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${c.slice(4)}${d}`
}

function makeAds(): Map<string, string> {
  const random = seeded(0)
  const owner = new Map<string, string>()
  for (let campaign = 0; campaign < campaigns; campaign++) {
    const id = uuid(random)
    for (let ad = 0; ad < adsPerCampaign; ad++) owner.set(uuid(random), id)
  }
  return owner
}
