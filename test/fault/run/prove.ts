/** Declares two tests for a proof: with the protection nothing is broken, without it the suite says what is. */
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

  t.test(`${from}: without ${protection} it is, and the suite says so`, async t => {
    const run = await Directed.start(t, { ...options, seed, without: [protection] })
    // What is broken may stand in the way of what comes next.
    await happen(run).catch((error: unknown) => t.comment(String(error)))
    const broken = new Set((await run.verdict()).map(({ invariant }) => invariant))
    t.ok(broken.has(breaks), `${breaks} is broken, found ${[...broken].join(', ')}`)
  })
}
