/** Faults of Redis after which at most its last moments are gone. */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { restore, restoreSnapshot, takeSnapshot } from '../../support/redis.js'
import type { Rig } from '../rig/rig.js'
import { nothingToHeal, type Fault } from './fault.js'

/** Redis is brought back to how it was when the fault began; `keep` gives where the copy is. */
function olderState(
  name: string,
  keep: (rig: Rig) => Promise<string>,
  bringBack: (rig: Rig, copy: string) => Promise<void>,
): Fault {
  return {
    name,
    grips: ['redis'],
    lastsMs: [4_000, 8_000],
    inject: async ({ rig, monitor }) => {
      const copy = await keep(rig)
      return async () => {
        const rollback = monitor.expectRollback()
        await bringBack(rig, copy)
        rollback.done()
      }
    },
  }
}

const faults: readonly Fault[] = [
  {
    name: 'redis_kill',
    grips: ['redis'],
    lastsMs: [0, 3_000],
    inject: async ({ rig }) => {
      await rig.redis.kill()
      return () => rig.redis.start()
    },
  },
  {
    name: 'redis_stop_10s',
    grips: ['redis'],
    lastsMs: [10_000, 10_000],
    inject: async ({ rig }) => {
      rig.redis.pause()
      return async () => rig.redis.resume()
    },
  },
  {
    // What a failover to a lagging replica leaves, and what a power cut leaves.
    name: 'redis_last_second_lost',
    grips: ['redis'],
    lastsMs: [0, 0],
    inject: async ({ rig, monitor }) => {
      const copy = await copyFiles(rig, 'second')
      await sleep(1_000)
      const rollback = monitor.expectRollback()
      await bringBack(rig, copy)
      rollback.done()
      return nothingToHeal
    },
  },
  olderState('redis_older_files', rig => copyFiles(rig, 'older'), bringBack),
  olderState(
    'redis_older_rdb',
    ({ redis, client }) => takeSnapshot(redis, client, 'older'),
    ({ redis, client }, copy) => restoreSnapshot(redis, client, copy),
  ),
  {
    name: 'redis_script_flush',
    grips: ['redis'],
    lastsMs: [0, 0],
    inject: async ({ rig }) => {
      await rig.client.script('FLUSH')
      return nothingToHeal
    },
  },
  {
    name: 'redis_client_kill',
    grips: ['redis'],
    lastsMs: [0, 0],
    inject: async ({ rig }) => {
      await rig.client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      return nothingToHeal
    },
  },
  {
    name: 'redis_maxmemory',
    grips: ['redis'],
    lastsMs: [1_000, 5_000],
    inject: async ({ rig }) => {
      await rig.client.config('SET', 'maxmemory', '1mb')
      return async () => void (await rig.client.config('SET', 'maxmemory', '0'))
    },
  },
  {
    name: 'redis_disk_full',
    grips: ['redis'],
    lastsMs: [3_000, 6_000],
    refusal: rig => rig.disks.redis.refusal,
    inject: async ({ rig }) => {
      await rig.disks.redis.fill()
      return () => rig.disks.redis.free()
    },
  },
]

export const redisFaults = faults.map((fault): Fault => ({ needs: 'redis', ...fault }))

/** Where Redis keeps its state. */
const filesOf = (rig: Rig): string => join(rig.redis.folder, 'appendonlydir')

/** Copies the files of the running server, to where its disk is not filled. A last command that is cut off is dropped when they are loaded. */
export async function copyFiles(rig: Rig, name: string): Promise<string> {
  const copy = join(rig.folder, `redis-copy-${name}`)
  await rm(copy, { recursive: true, force: true })
  await cp(filesOf(rig), copy, { recursive: true })
  return copy
}

/** Brings the server back with older files. */
export function bringBack({ redis }: Rig, copy: string): Promise<void> {
  return restore(redis, copy)
}
