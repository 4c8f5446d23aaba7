import { Redis } from 'ioredis'
import { campaignOfAd } from './ad-events.js'

/** Puts the table that ads are joined with into Redis, as the original does: the ad is the key, its campaign the value. */
export async function writeAds(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl)
  await redis.mset(new Map(campaignOfAd))
  redis.disconnect()
}
