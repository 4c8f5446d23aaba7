/** A process that ends in the middle of a step of the protocol, each of them once. */
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { failpoints } from './replica/failpoints.js'
import { Directed } from './run/directed.js'

t.test('a replica ends before and after each step, and nothing is lost or happens twice', async t => {
  const run = await Directed.start(t, { seed: 120, replicas: 1 })
  const { replica } = run.rig.members[0]!
  for (const point of failpoints) {
    const isLeaving = point.endsWith('_release')
    await replica.kill()
    run.publisher.publish(200)
    await replica.start('--failpoint', `${point}:1`)
    if (isLeaving) {
      await replica.works()
      await replica.stop()
    }
    t.ok(await replica.mayEnd(15_000), `it ended ${point}`)
    t.notMatch(await readFile(replica.logFiles.at(-1)!, 'utf8'), '"engine stopped"', 'as nothing else ends a process')
  }
  await replica.start()
  await run.still(60_000)
  t.strictSame(await run.verdict(), [], run.rig.folder)
})
