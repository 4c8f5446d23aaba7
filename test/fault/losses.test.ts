/**
 * Where something is lost for good, every partition halts for the right reason; and once a person has accepted the loss, what is
 * left is processed as if nothing had been.
 */
import t from 'tap'
import { losses } from './nemesis/losses.js'
import { bringBack, copyFiles } from './nemesis/redis.js'
import { rollBackDefinition } from './nemesis/rollbacks.js'
import { Directed } from './run/directed.js'
import { runLoss } from './run/loss.js'

for (const [index, loss] of losses.entries()) {
  t.test(`${loss.what}: halted (${loss.reasons.join(', ')}), and with the loss accepted it goes on`, async t => {
    const { violations, folder } = await runLoss(t, loss, { seed: 100 + index })
    t.strictSame(violations, [], folder)
  })
}

t.test('Redis flushed and brought back: it goes on by itself', async t => {
  const run = await Directed.start(t, { seed: 110 })
  await run.publish(2_000)
  const copy = await copyFiles(run.rig, 'before')
  await run.publish(2_000)
  await run.still()
  await run.rig.client.flushall()
  await run.halted('state_lost')
  await bringBack(run.rig, copy)
  await run.publish(1_000)
  await run.still()
  t.strictSame(await run.verdict(), [], run.rig.folder)
})

t.test('Redis brought back to before a change of the definition: halted until the later files are back', async t => {
  const run = await Directed.start(t, { seed: 111 })
  const later = await rollBackDefinition(run)
  await bringBack(run.rig, later)
  await run.publish(1_000)
  await run.still()
  t.strictSame(await run.verdict(), [], run.rig.folder)
})
