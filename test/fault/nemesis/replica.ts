/** Faults of the engine's own processes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { untilShared } from '../rig/stillness.js'
import { nothingToHeal, type Fault } from './fault.js'

/** Which time a process ends at a step, at most: it acquires a partition now and then, and publishes all the time. */
const mostTimes = { acquire: 2, commit: 10, trim: 30, publish: 60 }
const leavingPoints = ['before_release', 'after_release']

const stopped = (name: string, ms: number): Fault => ({
  name,
  grips: ['member'],
  lastsMs: [ms, ms],
  inject: async ({ member: { replica } }) => {
    replica.pause()
    return async () => replica.resume()
  },
})

/** Killed at a step of the protocol, and once more while it gives its partitions up. */
const endingAt = (point: string, most: number): Fault => ({
  name: `replica_ends_${point}`,
  grips: ['member'],
  lastsMs: [0, 0],
  inject: async ({ member: { replica }, random, say }) => {
    await replica.kill()
    const times = random.whole(1, most)
    await replica.start('--failpoint', `${point}:${times},${random.pick(leavingPoints)}:1`)
    const hasEnded = await replica.mayEnd(6_000)
    say(`${replica.name} ${hasEnded ? 'ended' : 'did not come to'} ${point}, time ${times}`)
    await replica.stop()
    await replica.start()
    return nothingToHeal
  },
})

export const replicaFaults: readonly Fault[] = [
  {
    name: 'replica_kill',
    grips: ['member'],
    lastsMs: [500, 8_000],
    inject: async ({ member: { replica } }) => {
      await replica.kill()
      return () => replica.start()
    },
  },
  stopped('replica_stop_1s', 1_000),
  stopped('replica_stop_10s', 10_000),
  stopped('replica_stop_60s', 60_000),
  {
    name: 'replica_busy_loop',
    grips: ['member'],
    lastsMs: [10_000, 10_000],
    inject: async ({ member: { replica } }) => {
      replica.keepBusy()
      return nothingToHeal
    },
  },
  ...Object.entries(mostTimes).flatMap(([step, most]) => [
    endingAt(`before_${step}`, most),
    endingAt(`after_${step}`, most),
  ]),
  {
    // A process that gets its turn now and then, as one on a machine that is busy with something else.
    name: 'replica_stutter',
    grips: ['member'],
    lastsMs: [3_000, 6_000],
    inject: async ({ member: { replica }, random }) => {
      let isOver = false
      const stutter = async (): Promise<void> => {
        while (!isOver) {
          replica.pause()
          await sleep(random.whole(100, 1_500))
          replica.resume()
          await sleep(random.whole(1, 50))
        }
      }
      const stuttering = stutter()
      return () => {
        isOver = true
        return stuttering
      }
    },
  },
  {
    name: 'replicas_all_killed',
    grips: ['members'],
    lastsMs: [0, 2_000],
    inject: async ({ rig }) => {
      await Promise.all(rig.replicas.map(replica => replica.kill()))
      return () => rig.startReplicas()
    },
  },
  {
    name: 'replicas_rolling_restart',
    grips: ['members'],
    lastsMs: [0, 0],
    inject: async ({ rig }) => {
      for (const replica of rig.replicas) {
        await replica.stop()
        await replica.start()
        await replica.works()
      }
      // Moving partitions back to the last one is part of it, as long as nothing else stands in the way.
      await untilShared(rig, 10_000).catch(() => undefined)
      return nothingToHeal
    },
  },
]
