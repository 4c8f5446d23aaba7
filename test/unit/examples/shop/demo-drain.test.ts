import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { untilDrained } from '../../../../examples/shop/demo-drain.js'

t.test('an engine that does everything between two questions has taken the time between them', async t => {
  const partitions = [{ position: 0, isIdle: false }]
  const engine = {
    status: () => Promise.resolve({ ready: true, halts: [], partitions }),
    metrics: async () => {
      await sleep(5)
      return new Map([['millrace_events_total', 10]])
    },
    failure: (why: string) => new Error(why),
  } as unknown as Parameters<typeof untilDrained>[0]
  const tookMs = await untilDrained(engine, 10, () => undefined)
  t.ok(tookMs > 1 && tookMs < 10_000, `${tookMs} ms`)
})
