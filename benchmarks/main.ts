/** `npm run bench`: asks the questions that are named, or the usual ones, and prints what came out. */
import { Command, InvalidArgumentError } from 'commander'
import { describeMachine, machineLine } from './harness/machine.js'
import type { BenchOptions } from './question.js'
import { allQuestions, usualQuestions } from './questions/index.js'
import { writeReport } from './report/write.js'
import { jsonOf, saveAnswer } from './results.js'

function whole(written: string): number {
  const value = Number(written)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number of at least 1.')
  return value
}

const usual = usualQuestions.map(({ name }) => name).join(', ')
const questionLines = allQuestions.map(({ name, asks }) => `  ${name.padEnd(16)} ${asks}`)
const program = new Command('npm run bench --')
  .description('Questions with numbers: how fast, how far from possible, how soon.')
  .argument('[questions...]', `which to ask, by default ${usual}`)
  .option('--events <number>', 'events of a backlog (default: 200000, quick 40000)', whole)
  .option('--rounds <number>', 'interleaved rounds; medians are printed (default: 3, quick 1)', whole)
  .option('--seconds <number>', 'how long a steady load lasts (default: 3, quick 1)', whole)
  .option('--users <number>', 'how many different users there may be (default: what the workload has)', whole)
  .option('--rate <number>', 'events a second of a steady load, this rate alone', whole)
  .option('--seed <number>', 'another seed gives other events', whole, 1)
  .option('--quick', 'less of everything, to see that it works')
  .option('--cpu-prof <folder>', 'write a processor profile of the engine there, for each of its runs')
  .option('--update-baseline', 'what is measured becomes the baseline of the gate')
  .option('--save', 'keep each answer in benchmarks/results/<question>.json and write docs/benchmarks.md anew')
  .option('--json', 'the last line on stdout is one object with all figures')
  .addHelpText('after', `\nQuestions:\n${questionLines.join('\n')}`)
  .parse()

type Given = Partial<BenchOptions> & Pick<BenchOptions, 'seed'> & { readonly json?: true; readonly save?: true }
const { json, save, quick = false, ...given } = program.opts<Given>()
const defaults = quick ? { events: 40_000, rounds: 1, seconds: 1 } : { events: 200_000, rounds: 3, seconds: 3 }
const options: BenchOptions = { users: undefined, rate: undefined, cpuProf: undefined, ...defaults, ...given, quick }

const unknown = program.args.find(name => !allQuestions.some(question => question.name === name))
if (unknown !== undefined) program.error(`error: there is no question "${unknown}"`, { exitCode: 2 })
const asked =
  program.args.length === 0 ? usualQuestions : allQuestions.filter(({ name }) => program.args.includes(name))

const machine = describeMachine()
const answers = new Map<string, Readonly<Record<string, unknown>>>()
const failures: string[] = []
process.stdout.write(`${machineLine(machine)}\n`)
for (const question of asked) {
  process.stdout.write(`\n${question.name}: ${question.asks}\n`)
  const startedAt = performance.now()
  try {
    const answer = await question.answer(options, line => process.stderr.write(`${line}\n`))
    process.stdout.write(answer.text)
    answers.set(question.name, answer.json)
    if (answer.failure !== undefined) failures.push(`${question.name}: ${answer.failure}`)
    if (save === true) await saveAnswer(question.name, machine, answer.json)
  } catch (error) {
    // The others are still worth asking.
    failures.push(`${question.name}: ${error instanceof Error ? error.stack : String(error)}`)
  }
  process.stderr.write(`${question.name}: took ${Math.round((performance.now() - startedAt) / 1000)} s\n`)
}
if (save === true) await writeReport()
for (const failure of failures) process.stderr.write(`${failure}\n`)
if (json === true) process.stdout.write(`${JSON.stringify(jsonOf(machine, answers))}\n`)
process.exit(failures.length === 0 ? 0 : 1)
