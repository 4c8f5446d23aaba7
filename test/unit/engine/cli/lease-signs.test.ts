import { test } from 'tap'
import { watchLeases } from '../../../../engine/cli/lease-signs.js'
import { ManualClock } from '../../../../engine/clock.js'
import { freshMeta, type PartitionMeta } from '../../../../engine/store.js'

/** Partitions whose meta is given by the milliseconds that have passed; sleeping passes them. */
function watch(ttlMs: number, ...metas: ((afterMs: number) => Partial<PartitionMeta> | undefined)[]) {
  const clock = new ManualClock(0)
  let lookedFor = 0
  const store = {
    readMeta: async (partition: number) => {
      const meta = metas[partition]!(clock.monotonicMs())
      return meta === undefined ? undefined : { ...freshMeta('state'), ...meta }
    },
  }
  const sleep = async (ms: number) => {
    clock.advance(ms)
    lookedFor += ms
  }
  const { signal } = new AbortController()
  const partitions = metas.map((_, partition) => partition)
  const signs = watchLeases(store, partitions, ttlMs, { clock, sleep, interrupted: signal })
  return signs.then(signs => ({ signs, lookedFor }))
}

const owned = (renewals: number) => ({ token: '1:a', replica: 'shop-0', renewals })

test('an owner that renews is seen to move, and the watch ends with the last one', async t => {
  const idle = (afterMs: number) => owned(afterMs < 1_600 ? 1 : 2)
  const busy = (afterMs: number) => owned(afterMs)
  const { signs, lookedFor } = await watch(5_000, idle, busy)
  t.strictSame(signs, [
    { lease: 'moving', stillMs: 0 },
    { lease: 'moving', stillMs: 0 },
  ])
  t.ok(lookedFor < 2_000)
})

test('an owner that is silent for half a lease stands still, for as long as it was watched', async t => {
  const { signs } = await watch(5_000, () => owned(7))
  t.equal(signs[0]!.lease, 'still')
  t.ok(signs[0]!.stillMs >= 2_500)
  t.ok(signs[0]!.stillMs <= 3_000)
})

test('nobody watches half of a long lease', async t => {
  const { lookedFor } = await watch(60_000, () => owned(7))
  t.equal(lookedFor, 3_000)
})

test('what nobody owns is not watched', async t => {
  const released = () => ({ token: '', renewals: 5 })
  const { signs, lookedFor } = await watch(5_000, () => undefined, released)
  t.strictSame(signs, [
    { lease: 'none', stillMs: 0 },
    { lease: 'none', stillMs: 0 },
  ])
  t.equal(lookedFor, 0)
})

test('a partition that is given up while it is watched is free, one that is taken over moves', async t => {
  const givenUp = (afterMs: number) => (afterMs < 500 ? owned(1) : { token: '', renewals: 2 })
  const takenOver = (afterMs: number) => (afterMs < 500 ? owned(1) : { ...owned(1), token: '2:b' })
  const { signs } = await watch(5_000, givenUp, takenOver)
  t.strictSame(
    signs.map(({ lease }) => lease),
    ['none', 'moving'],
  )
})
