/** `npm run bench`: asks the questions that are named, or all, and prints what came out. */
import { Command, InvalidArgumentError } from 'commander'
import { latency } from './questions/latency.js'
import { describeMachine, machineLine } from './harness/machine.js'
import { micro } from './questions/micro.js'
import { pipeline } from './questions/pipeline.js'
import type { BenchOptions, Question } from './question.js'
import { replicas } from './questions/replicas.js'

const questions: readonly Question[] = [pipeline, latency, replicas, micro]

function whole(written: string): number {
  const value = Number(written)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number of at least 1.')
  return value
}

const program = new Command('npm run bench --')
  .description('Questions with numbers: how fast, how far from possible, how soon.')
  .argument('[questions...]', 'which to ask, by default all')
  .option('--events <number>', 'events of the backlog', whole, 200_000)
  .option('--rounds <number>', 'interleaved rounds; medians are printed', whole, 3)
  .option('--rate <number>', 'events a second for the latency', whole, 5_000)
  .option('--seconds <number>', 'how long that rate is kept', whole, 10)
  .option('--seed <number>', 'another seed gives other events', whole, 1)
  .option('--cpu-prof <folder>', 'write a processor profile of the engine there, for each of its runs')
  .option('--json', 'the last line on stdout is one object with all figures')
  .addHelpText('after', `\nQuestions:\n${questions.map(({ name, asks }) => `  ${name.padEnd(10)} ${asks}`).join('\n')}`)
  .parse()

const given = program.opts<Omit<BenchOptions, 'cpuProf'> & { cpuProf?: string; json?: true }>()
const options: BenchOptions = { ...given, cpuProf: given.cpuProf }
const unknown = program.args.find(name => !questions.some(question => question.name === name))
if (unknown !== undefined) program.error(`error: there is no question "${unknown}"`, { exitCode: 2 })
const asked = questions.filter(({ name }) => program.args.length === 0 || program.args.includes(name))

const machine = describeMachine()
let json: Record<string, unknown> = { machine }
process.stdout.write(`${machineLine(machine)}\n`)
for (const question of asked) {
  process.stdout.write(`\n${question.name}: ${question.asks}\n`)
  const answer = await question.answer(options, line => process.stderr.write(`${line}\n`))
  process.stdout.write(answer.text)
  json = { ...answer.json, ...json }
}
if (given.json === true) process.stdout.write(`${JSON.stringify(json)}\n`)
process.exit(0)
