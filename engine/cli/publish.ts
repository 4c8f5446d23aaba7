/** `millrace publish <file>`: events of a file to the subjects that the pipeline reads. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { parseHeader, tokenRule, type Addressing } from './event-address.js'
import type { Fingerprint } from './event-files/avro.js'
import { fileFormats, formatOf, type FileFormat } from './event-files/event-files.js'
import { runPublish, type PublishJob, type PublishSurroundings, type PublishTarget } from './publish-run.js'

/** Options of the command line, the program's own included. */
type GivenOptions = Readonly<Record<string, unknown>>

/** What the command needs of the program that it is added to. */
export interface PublishProgram extends PublishSurroundings {
  readonly fingerprint: Fingerprint
  /** First token of event subjects, `events`. */
  root(options: GivenOptions): string
  /** Called only when something is to be published. */
  connect(options: GivenOptions): Promise<PublishTarget>
  /** Told at the end: 0 or 1. Wrong usage is commander's, with exit code 2 where it is found here. */
  exit(code: 0 | 1): void
}

interface PublishOptions {
  readonly source: string
  readonly type?: string
  readonly typeField?: string
  readonly key: string
  readonly id?: string
  readonly format?: FileFormat
  readonly as?: 'json' | 'avro'
  readonly numeric: readonly string[]
  readonly header: readonly string[]
  readonly rate?: number
  readonly strict?: true
  readonly dryRun?: true
}

/** The command, to be added to a program. */
export function publishCommand(program: PublishProgram): Command {
  const command = new Command('publish')
    .summary('publish the events of an NDJSON, CSV or Avro file')
    .description(
      'Publish the events of a file to <root>.<source>.<type>.<key> and wait until JetStream has acknowledged each.\n' +
        'A path names a field of an event, such as sender.login.',
    )
    .argument(
      '<file>',
      'a JSON value a line (.ndjson, .jsonl, .json), CSV with a header row, or an Avro container file',
    )
    .requiredOption('--source <name>', 'who sends the events', token)
    .addOption(new Option('--type <name>', 'type of all events').argParser(token).conflicts('typeField'))
    .option('--type-field <path>', 'field with the type of each event')
    .requiredOption('--key <path>', 'field with the key: whose profile the event changes')
    .option('--id <path>', "field with the id; within the stream's duplicate window nothing is then stored twice")
    .addOption(
      new Option('--format <format>', 'format of the file, when its name does not say it').choices(fileFormats),
    )
    .addOption(
      new Option('--as <encoding>', 'encoding of the payloads, by default that of the file').choices(['json', 'avro']),
    )
    .option('--numeric <columns>', 'CSV columns that hold numbers, separated by commas', columns, [])
    .option('--header <header>', '"Name: value" for every event; may be repeated', header, [])
    .option('--rate <number>', 'events a second, by default as many as are acknowledged', rate)
    .option('--strict', 'stop at the first line that is no event')
    .option('--dry-run', 'publish nothing; print subject, id and size of each event')
  return command.action(async (path: string, options: PublishOptions) => {
    program.exit(await runPublish(jobOf(program, command, path, options), program))
  })
}

/** Says what is wrong between the options, which ends the command. */
function jobOf(program: PublishProgram, command: Command, path: string, options: PublishOptions): PublishJob {
  const { type, typeField, source, key, id, numeric, rate } = options
  const format = options.format ?? formatOf(path)
  if (format === undefined) return command.error("error: the file's name does not say its format; use --format", usage)
  const as = options.as ?? (format === 'avro' ? 'avro' : 'json')
  if (as === 'avro' && format !== 'avro') return command.error('error: --as avro needs an Avro file', usage)
  if (type === undefined && typeField === undefined) {
    return command.error('error: one of --type and --type-field must be given', usage)
  }
  const given = command.optsWithGlobals()
  const addressing: Addressing = {
    root: program.root(given),
    source,
    type: type === undefined ? { path: typeField! } : { fixed: type },
    keyPath: key,
    idPath: id,
    headers: options.header,
  }
  return {
    path,
    read: { format, as, numeric, fingerprint: program.fingerprint },
    addressing,
    rate,
    isStrict: options.strict === true,
    connect: options.dryRun === true ? undefined : () => program.connect(given),
  }
}

const usage = { exitCode: 2 }

function token(written: string): string {
  if (!tokenRule.test(written)) throw new InvalidArgumentError('It must be 1 to 128 letters, digits, "_" or "-".')
  return written
}

function columns(written: string, before: readonly string[]): string[] {
  return [...before, ...written.split(',').map(name => name.trim())]
}

function header(written: string, before: readonly string[]): string[] {
  const parsed = parseHeader(written)
  if (parsed === undefined) throw new InvalidArgumentError('It must be "Name: value".')
  return [...before, ...parsed]
}

function rate(written: string): number {
  const value = Number(written)
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number above zero.')
  return value
}
