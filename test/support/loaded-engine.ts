/** An engine on a Redis that fails over, with a steady load on it. */
import type { Test } from 'tap'
import { loadConfig } from '../../engine/config/config.js'
import { RedisStore } from '../../profiles/redis-store.js'
import { Broker } from './broker.js'
import { startEngine } from './engine.js'
import { startNats } from './servers.js'
import { SteadyLoad } from './steady-load.js'
import { visitPartitions, visits } from './visits.js'

/** `redis` are the settings of Redis by environment variable. Resolves when every partition runs and events come. */
export async function startLoadedEngine(t: Test, redis: Readonly<Record<string, string>>) {
  const nats = await startNats(t, { partitions: visitPartitions })
  const broker = await Broker.connect(t, nats.url)
  const store = new RedisStore(loadConfig({ env: redis, cwd: import.meta.dirname }).redis, 'visits')
  const engine = await startEngine(t, { nats: nats.url, redis: 'redis://not-used', pipeline: visits(), store })
  await engine.running()
  const load = new SteadyLoad(t, broker.connection, events => broker.publish(...events))
  /** `since`: the fault; `promotedAt`: there is a master again. */
  const recovered = (test: Test, since: number, promotedAt: number): void => {
    const ms = load.recoveredMs(promotedAt)
    test.comment(
      `recovered ${ms} ms after the promotion; longest silence of a partition ${load.longestSilenceMs(since)} ms`,
    )
    test.ok(ms < 5_000, `all partitions go on within 5 s, took ${ms} ms`)
  }
  return { broker, engine, load, recovered }
}
