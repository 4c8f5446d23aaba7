/** The command line: every verb with its options and help. What a verb does is in the file of its name. */
import { Command, InvalidArgumentError } from 'commander'
import { loadConfig } from '../config.js'
import { connectNats } from '../nats/connection.js'
import { Names } from '../nats/names.js'
import { Publisher } from '../nats/publisher.js'
import { check } from './check.js'
import { deadLettersList, deadLettersShow } from './dead-letters.js'
import { partitionsList, partitionsResume } from './partitions.js'
import { profileGet } from './profile.js'
import { publishCommand } from './publish.js'
import { run } from './run.js'
import type { DemoOptions, ExitCode, Services } from './services.js'

interface Common {
  readonly config?: string
}

export function buildProgram(services: Services): { command: Command; exitCode: () => ExitCode } {
  let exitCode: ExitCode = 0
  const program = new Command('millrace')
    .description('From NATS JetStream to live user profiles and triggers, each event exactly once.')
    .option('-c, --config <file>', 'configuration, YAML or JSON (default: millrace.yaml, if there is one)')
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
    .action((pipeline: string | undefined) => ends(run({ ...common(), pipeline }, services)))

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
    signal: services.interrupted,
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
