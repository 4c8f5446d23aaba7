/** Tests whose promise must hold on the nats-server that is installed, which may be years old, and on a current one. */
import type { Fence } from '../../engine/nats/fence.js'
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

const fenceFrom: Readonly<Record<string, Fence>> = {
  '2.9': 'none',
  '2.10': 'none',
  '2.11': 'each',
  '2.12': 'batch',
  '2.13': 'batch',
}

/** What a server of this version can check about a publish to the streams that Millrace makes. */
export function fenceOf(version: string): Fence {
  const [minor = ''] = /^\d+\.\d+/.exec(version) ?? []
  return fenceFrom[minor] ?? 'fast_batch'
}
