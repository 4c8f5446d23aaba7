/** The promise, seen from outside, for visits by all users in turn. */
import type { Test } from 'tap'
import type { Broker, TestEvent } from './broker.js'
import type { RunningEngine } from './engine.js'
import { eventually } from './eventually.js'
import { idOf } from './visits.js'
import { triggered, users } from './world.js'

/** All triggers are out once, all profiles right. The engines together must run every partition. */
export async function exactlyOnce(
  t: Test,
  broker: Broker,
  engines: RunningEngine | readonly RunningEngine[],
  sent: readonly TestEvent[],
): Promise<void> {
  const all = Array.isArray(engines) ? (engines as readonly RunningEngine[]) : [engines as RunningEngine]
  await eventually('all triggers are out', async () => (await broker.count('TRIGGERS')) >= sent.length + users.length, {
    withinMs: 30_000,
  })
  await eventually('everything is idle', () =>
    all[0]!.partitions.every((_, partition) =>
      all.some(({ partitions }) => partitions[partition]!.state === 'running' && partitions[partition]!.isIdle),
    ),
  )
  t.strictSame((await triggered(broker)).sort(), sent.map(idOf).sort(), 'each event triggered once')
  t.equal((await broker.read('TRIGGERS')).length, sent.length + users.length, 'each user became regular once')
  t.equal((await broker.read('SEGMENTS')).length, users.length, 'and active once')
  t.equal(await broker.count('DEADLETTERS'), 0)
  for (const user of users) {
    const { view } = (await all[0]!.engine.profile(user))!
    t.match(view.traits, { visits: sent.length / users.length, total: sent.length / users.length }, user)
  }
}

/** Waits until the engine has committed so many events. */
export async function read(engine: RunningEngine, count: number): Promise<void> {
  await eventually(`${count} events are read`, async () => (await engine.metric('millrace_events_total')) >= count)
}
