#!/usr/bin/env node
/** The composition root: the only file that knows engine, profiles and examples together. Nothing imports it. */
import { Command, CommanderError } from 'commander'
import { RedisStore } from '../../profiles/redis-store.js'
import { MillraceError, messageOf } from '../errors.js'
import { run } from './run.js'
import type { ExitCode, Services } from './services.js'

const services: Services = {
  openStore: (config, pipeline) => new RedisStore(config.redis, pipeline),
  io: { stdout: process.stdout, stderr: process.stderr, env: process.env },
}

let exitCode: ExitCode = 0

const program = new Command('millrace')
  .description('Stream processing from NATS JetStream to live user profiles and triggers, each event exactly once.')
  .showHelpAfterError()
  .exitOverride()

program
  .command('run')
  .description('run a pipeline until SIGTERM')
  .argument('[pipeline]', 'definition, instead of the configured one')
  .option('-c, --config <file>', 'configuration, YAML or JSON')
  .action(async (pipeline: string | undefined, options: { config?: string }) => {
    exitCode = await run({ ...options, pipeline }, services)
  })

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? 0 : 2
  else {
    process.stderr.write(`${describe(error)}\n`)
    exitCode = 1
  }
}
// Open handles of a failed start must not keep the process.
process.exit(exitCode)

function describe(error: unknown): string {
  if (!(error instanceof MillraceError)) return error instanceof Error ? (error.stack ?? error.message) : String(error)
  const lines = error.lines.length > 1 ? `\n${error.lines.map(line => `  - ${line}`).join('\n')}` : ''
  return `${error.code}: ${messageOf(error)}${lines}`
}
