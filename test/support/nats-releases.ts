/** Tests whose promise must hold on the nats-server that is installed, which may be years old, and on a current one. */
import { test, type Test } from 'tap'
import type { NatsRelease } from '../../engine/cli/local/nats.js'

const releases: readonly NatsRelease[] = ['installed', 'current']

/** Declares the test once for each release; `nats` goes to `startNats` or `world`. */
export function testOnEachNats(
  title: string,
  body: (t: Test, nats: { release: NatsRelease }) => Promise<unknown>,
): void {
  for (const release of releases) test(`${title} (${release} NATS)`, t => body(t, { release }))
}
