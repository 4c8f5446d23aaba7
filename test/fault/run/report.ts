/** The result of a run for people. */
import type { Writable } from 'node:stream'
import { invariants } from '../oracle/violations.js'
import type { RunResult } from './run.js'

/** A table of the faults, the figures, and every violation with the promise that it breaks. */
export function printResult(result: RunResult, to: Writable): void {
  const { faults, gapsMs, violations, halts } = result
  const print = (line = ''): void => void to.write(`${line}\n`)
  print()
  print(`${'fault'.padEnd(28)} ${'times'.padStart(5)} ${'longest gap, ms'.padStart(16)}`)
  for (const name of Object.keys(faults).sort()) {
    print(`${name.padEnd(28)} ${String(faults[name]).padStart(5)} ${String(gapsMs[name] ?? 0).padStart(16)}`)
  }
  print()
  const figures: Record<string, unknown> = {
    'nats-server': result.natsVersion,
    'redis-server': result.redisVersion,
    seed: result.seed,
    events: result.events,
    'of these applied': result.applied,
    profiles: result.profiles,
    triggers: result.triggers,
    'all effects': result.effects,
    'longest gap, ms': result.maxGapMs,
    'the same before any fault': result.startGapMs,
    'repeated by a hand-over': result.mostRepeated ?? 'not known, a process was killed',
    'recovered, ms': result.recoveredMs,
    'memory of a replica, MB': result.rssMb,
    halts: Object.keys(halts).length === 0 ? 'none' : JSON.stringify(halts),
    ...(violations.length === 0 ? {} : { 'logs kept in': result.folder }),
  }
  for (const [name, value] of Object.entries(figures)) print(`${name.padEnd(28)} ${String(value)}`)
  print()
  for (const { invariant, detail } of violations) print(`BROKEN: ${invariants[invariant]}\n  ${detail}`)
  print(violations.length === 0 ? 'all invariants hold' : `${violations.length} violations`)
}
