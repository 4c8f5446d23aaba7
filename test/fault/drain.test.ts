/** Faults in the middle of a backlog. After each run the oracle must find every profile and every effect exactly once. */
import t, { type Test } from 'tap'
import type { Verdict } from '../../examples/shop/oracle.js'
import { startProxy, type TcpProxy } from '../support/proxy.js'
import { backUp, restore } from '../support/redis.js'
import { ShopRig } from './shop-rig.js'

function agrees(t: Test, verdict: Verdict): void {
  t.strictSame(verdict.details, [], 'the oracle finds no difference')
  t.equal(verdict.repeatedTriggers, 0, 'no trigger twice')
  t.ok(verdict.isClean, 'and says so')
  t.ok(Object.keys(verdict.triggers).length >= 4, 'there was something to get wrong')
}

t.test('killed ten times in the middle of a drain, nothing is lost and nothing happens twice', async t => {
  const rig = await ShopRig.start(t)
  await rig.publishBacklog(11)
  for (let kill = 1; kill <= 10; kill++) {
    await rig.startEngine()
    await rig.reached(kill / 11)
    await rig.killEngine()
  }
  await rig.startEngine()
  agrees(t, await rig.verdict())
})

t.test('Redis brought back to an older copy under a running engine, the stream makes up for it', async t => {
  const rig = await ShopRig.start(t)
  await rig.publishBacklog(12)
  await rig.startEngine()
  await rig.reached(0.2)
  const copy = await backUp(rig.servers.redis, 'early')
  await rig.reached(0.6)
  await restore(rig.servers.redis, copy)
  agrees(t, await rig.verdict())
  // Now that no event arrives any more, only the renewals can notice.
  await restore(rig.servers.redis, copy)
  agrees(t, await rig.verdict())
})

t.test('the link to NATS cut twenty times in the middle of a drain, no event is skipped', async t => {
  let proxy: TcpProxy | undefined
  const rig = await ShopRig.start(t, async port => {
    proxy = await startProxy(t, port)
    return proxy.port
  })
  await rig.publishBacklog(13)
  await rig.startEngine()
  for (let cut = 1; cut <= 20; cut++) {
    await rig.reached(cut / 22)
    proxy!.cut()
  }
  agrees(t, await rig.verdict())
  t.ok((await rig.metric('millrace_reader_restarts_total')) >= 20, 'the cuts were felt')
})
