/** The command line: every verb with its options and help. What a verb does is in the file of its name. */
import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { loadConfig } from '../config/config.js'
import { maxProcesses } from '../config/schema.js'
import { connectNats } from '../nats/connection.js'
import { Names } from '../nats/names.js'
import { Publisher } from '../nats/publisher.js'
import { check } from './check.js'
import { deadLettersList, deadLettersShow } from './dead-letters.js'
import { partitionsList, partitionsResume } from './partitions.js'
import { profileGet } from './profile.js'
import { publishCommand } from './publish.js'
import { rebuildDrop } from './rebuild-drop.js'
import { rebuildStatus, rebuildSwitch } from './rebuild.js'
import { run } from './run.js'
import type { DemoOptions, ExitCode, Services } from './services.js'

/** From `build/engine/cli/`. */
const manifest = new URL('../../../package.json', import.meta.url)

interface Common {
  readonly config?: string
}

export function buildProgram(services: Services): { command: Command; exitCode: () => ExitCode } {
  let exitCode: ExitCode = 0
  const program = new Command('millrace')
    .description('From NATS JetStream to live user profiles and triggers, each event exactly once.')
    .option('-c, --config <file>', 'configuration, YAML or JSON (default: millrace.yaml, if there is one)')
    .version(readVersion(), '-V, --version', 'print the version')
    .showHelpAfterError('(see --help)')
    .exitOverride()
  const common = (): Common => program.opts<Common>()
  const ends = async (work: Promise<ExitCode>): Promise<void> => {
    exitCode = await work
  }
  const pipelineArgument = ['[pipeline]', 'definition, instead of the configured one'] as const

  program
    .command('run')
    .description('run a pipeline until SIGTERM')
    .argument(...pipelineArgument)
    .option(
      '--processes <number>',
      'engine processes that share the partitions, instead of the configured number',
      processes,
    )
    .action((pipeline: string | undefined, options: { processes?: number }) =>
      ends(run({ ...common(), ...options, pipeline }, services)),
    )

  program
    .command('check')
    .description('check configuration, definition, stages and servers; says everything that is wrong')
    .argument(...pipelineArgument)
    .option('--rate <number>', 'events a second, for what a memory costs', whole, 1000)
    .option('--provision', 'create missing streams, as run does', false)
    .action((pipeline: string | undefined, options: { rate: number; provision: boolean }) =>
      ends(check({ ...common(), ...options, pipeline }, services)),
    )

  const profile = program.command('profile').description('read profiles')
  profile
    .command('get')
    .description('print the profile of a key as JSON')
    .argument('<key>')
    .action((key: string) => ends(profileGet(key, common(), services)))

  const deadLetters = program.command('deadletters').description('look at events that could not be processed')
  deadLetters
    .command('list')
    .description('the newest dead letters')
    .option('--stage <name>', 'only of this stage')
    .option('--reason <reason>', 'only for this reason')
    .option('--limit <number>', 'at most this many', whole, 20)
    .option('--json', 'a JSON object a line', false)
    .action((options: { stage?: string; reason?: string; limit: number; json: boolean }) =>
      ends(deadLettersList({ ...common(), ...options }, services)),
    )
  deadLetters
    .command('show')
    .description('headers on standard error, the original bytes on standard output')
    .argument('<number>', 'number from the list', whole)
    .action((seq: number) => ends(deadLettersShow(seq, common(), services)))

  const partitions = program.command('partitions').description('where the partitions stand')
  partitions
    .command('list')
    .description('owner, position and halts of every partition; ends with 1 when one is halted')
    .option('--json', 'a JSON object a line', false)
    .action((options: { json: boolean }) => ends(partitionsList({ ...common(), ...options }, services)))
  partitions
    .command('resume')
    .description('let halted partitions go on')
    .argument('[partitions...]', 'their numbers', (written, before: number[]) => [...before, whole(written)], [])
    .option('--all', 'every halted partition', false)
    .option('--accept-loss', 'what is lost is given up', false)
    .action((partitions: number[], options: { all: boolean; acceptLoss: boolean }) =>
      ends(partitionsResume({ ...common(), ...options, partitions }, services)),
    )

  const rebuild = program
    .command('rebuild')
    .description('move to the configured generation, which is built from the stream beside the one before it')
  const maxLag = ['--max-lag <number>', 'stream sequences that it may be behind', whole, 10_000] as const
  rebuild
    .command('status')
    .description('how far every partition is; ends with 0 when switch would go through')
    .option(...maxLag)
    .option('--json', 'a JSON object a line', false)
    .action((options: { maxLag: number; json: boolean }) => ends(rebuildStatus({ ...common(), ...options }, services)))
  rebuild
    .command('switch')
    .description('seal the generation before; this one goes on from where that stands')
    .option(...maxLag)
    .action((options: { maxLag: number }) => ends(rebuildSwitch({ ...common(), ...options }, services)))
  rebuild
    .command('drop')
    .description('delete a generation that was succeeded, or whose building is given up')
    .requiredOption('--generation <number>', 'which one', generation)
    .action((options: { generation: number }) => ends(rebuildDrop({ ...common(), ...options }, services)))

  program
    .command('demo')
    .description('private servers, a made-up shop, the real engine, and an oracle that checks every result')
    .option('--events <number>', 'how many', whole, 50_000)
    .option('--rate <number>', 'events a second; without it a backlog is drained', whole)
    .option('--users <number>', 'how many people (default: one for every 15 events)', whole)
    .option('--seed <number>', 'same seed, same shop', whole, 1)
    .option('--json', 'the result as one line of JSON', false)
    .option('--keep', 'leave servers and engine running and say how to look around', false)
    .action((options: DemoOptions) => ends(services.demo(options, services.io)))

  const publish = publishCommand({
    ...services.io,
    clock: services.clock,
    sleep: services.sleep,
    get signal() {
      return services.interrupted
    },
    fingerprint: services.fingerprint,
    root: () => new Names(loadConfig({ file: common().config, env: services.io.env }).streams).root('events'),
    connect: async () => {
      const config = loadConfig({ file: common().config, env: services.io.env })
      const connection = await connectNats(config.nats, 'millrace publish')
      const publisher = new Publisher(connection)
      return {
        publisher,
        close: async () => {
          publisher.close()
          await connection.close()
        },
      }
    },
    exit: code => {
      exitCode = code
    },
  })
  program.addCommand(publish.copyInheritedSettings(program))
  return { command: program, exitCode: () => exitCode }
}

function whole(written: string): number {
  if (!/^\d+$/.test(written)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(written)
}

function generation(written: string): number {
  const number = whole(written)
  if (number < 1) throw new InvalidArgumentError('It must be 1 or more.')
  return number
}

function processes(written: string): number {
  const count = whole(written)
  if (count < 1 || count > maxProcesses) throw new InvalidArgumentError(`It must be from 1 to ${maxProcesses}.`)
  return count
}

function readVersion(): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}
