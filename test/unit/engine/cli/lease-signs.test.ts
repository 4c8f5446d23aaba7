import { test } from 'tap'
import { reportedHalt, watchLeases, type LeaseSign } from '../../../../engine/cli/lease-signs.js'
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
  t.strictSame(
    signs.map(({ lease }) => lease),
    ['moving', 'moving'],
  )
  t.ok(lookedFor < 2_000)
})

test('the age of a lease is the time since its last renewal, to a look, and never less', async t => {
  const once = (atMs: number) => (afterMs: number) => owned(afterMs < atMs ? 1 : 2)
  const twice = (afterMs: number) => owned(afterMs < 300 ? 1 : afterMs < 1_300 ? 2 : 3)
  const { signs, lookedFor } = await watch(5_000, once(1_600), once(300), twice)
  t.equal(lookedFor, 1_750, 'until the last one was seen to renew')
  const renewedAt = [1_600, 300, 1_300]
  signs.forEach(({ ageMs }, i) => {
    const isMs = lookedFor - renewedAt[i]!
    t.ok(ageMs >= isMs && ageMs <= isMs + 250, `${ageMs} for ${isMs}`)
  })
})

test('an owner that is silent for half a lease stands still, for as long as it was watched', async t => {
  const { signs } = await watch(5_000, () => owned(7))
  t.equal(signs[0]!.lease, 'still')
  t.ok(signs[0]!.ageMs >= 2_500)
  t.ok(signs[0]!.ageMs <= 3_000)
})

test('nobody watches half of a long lease', async t => {
  const { lookedFor } = await watch(60_000, () => owned(7))
  t.equal(lookedFor, 3_000)
})

test('what nobody owns is not watched', async t => {
  const released = () => ({ token: '', renewals: 5 })
  const { signs, lookedFor } = await watch(5_000, () => undefined, released)
  t.strictSame(signs, [
    { lease: 'none', ageMs: 0 },
    { lease: 'none', ageMs: 0 },
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

test('a halt is taken from the sign of the owner, while its lease moves', t => {
  const members = new Map([
    ['shop-0', '1-x:7:ready:timer_error=3'],
    ['shop-1', '1-y:9:ready:profile_unreadable=2,3,4'],
    ['older', '1-z:9:ready'],
  ])
  const meta = (replica: string) => ({ ...freshMeta('state'), token: '1:a', replica })
  const moving = { lease: 'moving', ageMs: 200 } as const
  const reported = (partition: number, replica: string, sign: LeaseSign = moving) =>
    reportedHalt(members, { partition, meta: meta(replica) }, sign)
  t.equal(reported(3, 'shop-0'), 'timer_error')
  t.equal(reported(2, 'shop-0'), undefined, 'another one had it before')
  t.equal(reported(3, 'shop-0', { lease: 'still', ageMs: 2_800 }), undefined, 'it may be dead')
  t.equal(reported(3, '', { lease: 'none', ageMs: 0 }), undefined)
  t.equal(reported(3, 'older'), undefined, 'a release whose signs say nothing of it')
  t.equal(reported(3, 'newcomer'), undefined)
  t.equal(reportedHalt(members, { partition: 3, meta: undefined }, moving), undefined)
  t.end()
})
