/** The Yahoo Streaming Benchmark: views by campaign and window. See `windows-pipeline.ts`. */
import { fileURLToPath } from 'node:url'
import { countOne, type CheckedWorkload, type OutcomeTally } from '../outcome.js'
import type { Message } from '../workload.js'
import { adEvents, campaignOfAd, windowMs, type AdEvent } from './ad-events.js'

export const yahooWindows: CheckedWorkload = {
  name: 'yahoo',
  partitions: 1,
  // From `build/benchmarks/workloads/yahoo/`: definitions are run from their source.
  pipelineFile: fileURLToPath(new URL('../../../../benchmarks/workloads/yahoo/windows-pipeline.ts', import.meta.url)),
  messages: adEvents,
  tally: () => new WindowTally(),
  totalsOf: ({ views }) => ({ views: views as number }),
}

class WindowTally implements OutcomeTally {
  readonly #views = new Map<string, number>()

  add({ payload }: Message): void {
    const { ad_id, event_type, event_time } = JSON.parse(payload.toString()) as AdEvent
    if (event_type !== 'view') return
    countOne(this.#views, `${campaignOfAd.get(ad_id)}@${Math.floor(Number(event_time) / windowMs) * windowMs}`)
  }

  totals() {
    return { views: [...this.#views.values()].reduce((sum, views) => sum + views, 0) }
  }

  outcome() {
    return { profiles: new Map([...this.#views].map(([key, views]) => [key, { views }])), triggers: new Map() }
  }
}
