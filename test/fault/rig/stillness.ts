/** Waits until all work is done, or nothing is on its way between replicas, as the servers show it, whoever does the work. */
import type { NatsConnection } from 'nats'
import { isNotFound } from '../../../engine/nats/connection.js'
import { eventually } from '../../support/eventually.js'
import type { Rig } from './rig.js'

/** Resolves when every stored event is processed; gives the milliseconds that took. */
export async function untilCaughtUp(rig: Rig, withinMs: number): Promise<number> {
  const startedAt = performance.now()
  await rig.untilNatsAnswers()
  const ends = await lastEvents(rig.connection, rig.options.partitions)
  await eventually(
    'every event is processed',
    async () => {
      const metas = await rig.metas()
      const behind = ends.flatMap((end, partition) => {
        const { position = 0, sequence_offset: offset = 0 } = metas[partition]!
        const left = end - (Number(position) - Number(offset))
        return left > 0 ? [`partition ${partition} has ${left} left`] : []
      })
      if (behind.length === 0) return true
      throw new Error(behind.join(', '))
    },
    { withinMs: withinMs - (performance.now() - startedAt), everyMs: 50 },
  )
  return performance.now() - startedAt
}

/** Resolves when nothing is left that time alone brings, and everything decided is published. */
export async function untilStill(rig: Rig, withinMs: number): Promise<void> {
  await eventually(
    'no timer and no effect is left',
    async () => {
      const sights = await rig.sights()
      const idle = new Set(sights.filter(({ isIdle }) => isIdle).map(({ partition }) => partition))
      const timers = await Promise.all(rig.numbers.map(partition => rig.client.zcard(`mr:{chaos:${partition}}:t`)))
      const busy = rig.numbers.filter(partition => timers[partition] !== 0 || !idle.has(partition))
      if (busy.length === 0) return true
      throw new Error(busy.map(partition => `partition ${partition} has ${timers[partition]} timers`).join(', '))
    },
    { withinMs, everyMs: 100 },
  )
}

/** Resolves when the definition that replicas are started with is in force in every partition. */
export async function untilAttached(rig: Rig, withinMs = 60_000): Promise<void> {
  const { hash } = await rig.pipeline()
  await eventually(
    'every partition is attached',
    async () => {
      const found = (await rig.metas()).map(({ definition }) => definition)
      if (found.every(definition => definition === hash)) return true
      throw new Error(`definitions in force: ${found.join(' ')}`)
    },
    { withinMs, everyMs: 50 },
  )
}

/** Resolves when each replica owns as many partitions as any other, or one less: nothing is on its way any more. */
export async function untilShared(rig: Rig, withinMs = 60_000): Promise<void> {
  const { replicas, numbers } = rig
  const [least, most] = [Math.floor(numbers.length / replicas.length), Math.ceil(numbers.length / replicas.length)]
  await eventually(
    'the partitions are shared evenly',
    async () => {
      const owners = (await rig.metas()).map(({ token = '', replica = '' }) => (token === '' ? '' : replica))
      const counts = replicas.map(({ name }) => owners.filter(owner => owner === name).length)
      if (counts.every(count => count >= least && count <= most) && !owners.includes('')) return true
      throw new Error(`owners: ${owners.join(' ')}`)
    },
    { withinMs, everyMs: 50 },
  )
}

/** Stream sequence of the last event of each partition, 0 where there is none. */
async function lastEvents(connection: NatsConnection, partitions: number): Promise<number[]> {
  const manager = await connection.jetstreamManager({ checkAPI: false })
  return Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      const query = { last_by_subj: `events.${partition}.*.*` }
      try {
        return (await manager.streams.getMessage('EVENTS', query)).seq
      } catch (error) {
        if (isNotFound(error)) return 0
        throw error
      }
    }),
  )
}
