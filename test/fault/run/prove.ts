/** Declares the tests of a proof: with the protection nothing is broken, without it the suite says what is, and keeps no logs. */
import { existsSync } from 'node:fs'
import t from 'tap'
import type { Proof } from '../nemesis/protections.js'
import { Directed } from './directed.js'

/** `seed` is that of both. */
export function prove({ protection, from, breaks, options, happen }: Proof, seed: number): void {
  t.test(`${from}: nothing is broken`, async t => {
    const run = await Directed.start(t, { ...options, seed })
    await happen(run)
    t.strictSame(await run.verdict(), [], run.rig.folder)
  })

  let folder = ''
  t.test(`${from}: without ${protection} it is, and the suite says so`, async t => {
    const run = await Directed.start(t, { ...options, seed, without: [protection], breaks })
    folder = run.rig.folder
    // What is broken may stand in the way of what comes next.
    await happen(run).catch((error: unknown) => t.comment(String(error)))
    const broken = new Set((await run.verdict()).map(({ invariant }) => invariant))
    t.ok(broken.has(breaks), `${breaks} is broken, found ${[...broken].join(', ')}`)
  })

  t.test(`${from}: logs of what had to break are not kept`, async t => {
    t.ok(folder !== '' && !existsSync(folder), folder)
  })
}
