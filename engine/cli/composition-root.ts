/** The composition root: the only file that knows engine, operators and profiles together. Only `main.ts` loads it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { CommanderError } from 'commander'
import { fingerprint } from '../../operators/avro/fingerprint.js'
import { RedisStore } from '../../profiles/redis-store.js'
import { systemClock } from '../clock.js'
import { Engine } from '../engine.js'
import { MillraceError } from '../errors.js'
import { buildProgram } from './program.js'
import type { Services } from './services.js'

let interrupted: AbortController | undefined

const services: Services = {
  demo: async (...given) => (await import('../../examples/shop/demo.js')).runDemo(...given),
  startEngine: (options, signal) => Engine.start(options, signal),
  openStore: (config, pipeline) => new RedisStore(config.redis, pipeline),
  fingerprint,
  io: { stdout: process.stdout, stderr: process.stderr, env: process.env },
  clock: systemClock,
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined), // an interrupt ends the pause
  /** A verb that never asks for it is ended by the signal itself. */
  get interrupted() {
    if (interrupted === undefined) {
      const controller = (interrupted = new AbortController())
      for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => controller.abort())
    }
    return interrupted.signal
  },
}

/** What the command line asks for, to its end. Gives the exit code. */
export async function main(): Promise<number> {
  // Nobody reads on, as in `millrace partitions list | head`.
  process.stdout.on('error', () => process.exit(0))

  const program = buildProgram(services)
  try {
    await program.command.parseAsync()
    return program.exitCode()
  } catch (error) {
    // Wrong usage was said by the parser itself; help that was asked for is no failure.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    process.stderr.write(`${describe(error)}\n`)
    return 1
  }
}

function describe(error: unknown): string {
  if (!(error instanceof MillraceError)) return error instanceof Error ? (error.stack ?? error.message) : String(error)
  const [first, ...others] = error.lines
  if (first === undefined || (others.length === 0 && error.message.includes(first)))
    return `${error.code}: ${error.message}`
  return `${error.code}:\n${error.lines.map(line => `  - ${line}`).join('\n')}`
}
