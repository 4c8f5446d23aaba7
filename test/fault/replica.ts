/**
 * A composition root for replicas under test: `millrace run` with two doors that the product does not have.
 *
 *     node build/test/fault/replica.js run --config FILE [--without token,gap_check] [--failpoint after_commit:37,before_publish:5]
 *                                          [--notes FILE]
 *
 * `--without` switches protections off, to show that the suite notices. `--failpoint` kills the process, as SIGKILL does, when a
 * point is passed for the given time. `--notes` is where it writes at its end what it has worked on. SIGUSR2 keeps the event loop busy for ten seconds.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { run } from '../../engine/cli/run.js'
import { systemClock } from '../../engine/clock.js'
import { Engine } from '../../engine/engine.js'
import { protections, type Protection } from '../../engine/protections.js'
import { fingerprint } from '../../operators/avro/fingerprint.js'
import { RedisStore } from '../../profiles/redis-store.js'
import { OwnershipRecord } from './replica/ownerships.js'
import { passFailpoints } from './replica/failpoints.js'
import { withoutLastSeq } from './replica/without-last-seq.js'

const busyMs = 10_000

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    config: { type: 'string' },
    without: { type: 'string' },
    failpoint: { type: 'string' },
    notes: { type: 'string' },
  },
})
const record = new OwnershipRecord()
const without = new Set(names(values.without).map(asProtection))
const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())
process.once('SIGTERM', () => interrupted.abort())
process.on('SIGUSR2', () => {
  const until = performance.now() + busyMs
  while (performance.now() < until);
})

const code = await run(
  { config: values.config },
  {
    demo: () => Promise.reject(new Error('a replica under test has no demo')),
    startEngine: (options, signal) => {
      const pipeline = without.has('last_seq') ? withoutLastSeq(options.pipeline) : options.pipeline
      const store = record.watchClaims(passFailpoints(options.store, names(values.failpoint)))
      return Engine.start({ ...options, pipeline: record.watchStages(pipeline), store, without }, signal)
    },
    openStore: (config, pipeline) => new RedisStore(config.redis, pipeline, undefined, without),
    fingerprint,
    io: { stdout: process.stdout, stderr: process.stderr, env: process.env },
    clock: systemClock,
    sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined), // an interrupt ends the pause
    interrupted: interrupted.signal,
  },
)
if (values.notes !== undefined) record.save(values.notes)
process.exit(code)

function names(list: string | undefined): string[] {
  return list === undefined || list === '' ? [] : list.split(',')
}

function asProtection(name: string): Protection {
  const known = protections.find(protection => protection === name)
  if (known === undefined)
    throw new Error(`no such protection: ${JSON.stringify(name)}; there are ${protections.join(', ')}`)
  return known
}
