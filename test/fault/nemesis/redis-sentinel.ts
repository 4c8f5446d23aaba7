/** Faults of a Redis whose master Sentinel replaces by its replica, after which at most its last moments are gone. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { reconnect } from '../../../profiles/redis-connection.js'
import { stopReplication } from '../../support/redis-replication.js'
import type { Rig } from '../rig/rig.js'
import { type Fault, type Heal, type Scene } from './fault.js'

const faults: readonly (Pick<Fault, 'name' | 'lastsMs'> & { readonly strike: (scene: Scene) => Promise<Heal> })[] = [
  {
    name: 'redis_failover_lag',
    lastsMs: [0, 5_000],
    strike: async ({ rig, monitor }) => {
      const { sentinels } = rig
      const [master, replica] = [await sentinels.current(), await sentinels.replica()]
      const rollback = monitor.expectRollback()
      await stopReplication(replica.redis, master.redis)
      await sleep(1_000)
      await master.server.kill()
      await sentinels.promoted(master)
      askAgain(rig)
      rollback.done()
      return async () => {
        await master.server.start()
        await sentinels.join(master)
      }
    },
  },
  {
    // Away from a master that is well, with live owners.
    name: 'redis_failover_back',
    lastsMs: [0, 0],
    strike: async ({ rig, monitor }) => {
      const master = await rig.sentinels.current()
      const rollback = monitor.expectRollback()
      await rig.sentinels.failover()
      askAgain(rig)
      rollback.done()
      return () => rig.sentinels.join(master)
    },
  },
  {
    // The old master wakes up beside the new one, with what was sent to it meanwhile, until the sentinels tell it.
    name: 'redis_split_brain',
    lastsMs: [500, 3_000],
    strike: async ({ rig, monitor }) => {
      const { sentinels } = rig
      const master = await sentinels.current()
      const rollback = monitor.expectRollback()
      master.server.pause()
      await sentinels.promoted(master)
      askAgain(rig)
      rollback.done()
      master.server.resume()
      return () => sentinels.join(master)
    },
  },
  {
    name: 'redis_sentinel_kill',
    lastsMs: [0, 5_000],
    strike: async ({ rig, random }) => {
      const sentinel = random.pick(rig.sentinels.sentinels)
      await sentinel.process.kill()
      return () => sentinel.start()
    },
  },
]

export const redisSentinelFaults = faults.map(({ name, lastsMs, strike }): Fault => ({
  name,
  grips: ['redis'],
  needs: 'redis_sentinel',
  lastsMs,
  inject: strike,
}))

/** The tests' own client is to ask the sentinels anew. */
function askAgain({ client }: Rig): void {
  reconnect(client as Redis)
}
