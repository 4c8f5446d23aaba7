/** Faults of the broker that lose nothing it has acknowledged. */
import { isAtLeast } from '../../../engine/version.js'
import { nothingToHeal, type Fault } from './fault.js'

const faults: readonly Fault[] = [
  {
    name: 'nats_kill',
    grips: ['nats'],
    lastsMs: [0, 3_000],
    inject: async ({ rig }) => {
      await rig.nats.kill()
      return () => rig.nats.start()
    },
  },
  {
    name: 'nats_restart',
    grips: ['nats'],
    lastsMs: [0, 3_000],
    inject: async ({ rig }) => {
      await rig.nats.stop()
      return () => rig.nats.start()
    },
  },
  {
    name: 'nats_stop',
    grips: ['nats'],
    lastsMs: [1_000, 8_000],
    inject: async ({ rig }) => {
      rig.nats.pause()
      return async () => rig.nats.resume()
    },
  },
  {
    name: 'nats_consumers_deleted',
    grips: ['nats'],
    lastsMs: [0, 0],
    inject: async ({ rig }) => {
      const manager = await rig.connection.jetstreamManager({ checkAPI: false })
      for (const { name } of await manager.consumers.list('EVENTS').next()) {
        await manager.consumers.delete('EVENTS', name).catch(() => false) // gone by itself
      }
      return nothingToHeal
    },
  },
  {
    name: 'nats_upgrade',
    grips: ['nats'],
    lastsMs: [0, 0],
    isLasting: true,
    refusal: rig => (isAtLeast(rig.nats.version, '2.10.0') ? 'the server is a current one already' : undefined),
    inject: async ({ rig }) => {
      await rig.upgradeNats()
      return nothingToHeal
    },
  },
  {
    // JetStream may switch itself off when it cannot write: whoever makes room starts it again.
    name: 'nats_disk_full',
    grips: ['nats'],
    lastsMs: [3_000, 6_000],
    refusal: rig => rig.disks.nats.refusal,
    inject: async ({ rig }) => {
      await rig.disks.nats.fill()
      return async () => {
        await rig.disks.nats.free()
        await rig.nats.restart()
      }
    },
  },
]

export const natsFaults = faults.map((fault): Fault => ({ needs: 'nats', ...fault }))
