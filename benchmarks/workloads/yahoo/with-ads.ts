import type { Contender } from '../../contenders/contender.js'
import { writeAds } from './write-ads.js'

/** The contender, started with the table of ads in its Redis, as the pipeline of the Yahoo benchmark expects it. */
export function withAds(contender: Contender): Contender {
  return {
    ...contender,
    start: async site => {
      await writeAds(site.redisUrl)
      process.env['ADS_REDIS_URL'] = site.redisUrl // handed down to the engine
      return contender.start(site)
    },
  }
}
