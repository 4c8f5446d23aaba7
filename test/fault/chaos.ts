/**
 * `npm run chaos`: load and random faults on private servers, then the oracle. Ends with 1 when an invariant was broken.
 *
 *     npm run chaos -- --replicas 4 --partitions 16 --rate 4000 --seconds 300 --seed 1
 */
import { parseArgs } from 'node:util'
import { findServer } from '../../engine/cli/local/binaries.js'
import { parseDuration } from '../../engine/options.js'
import { protections } from '../../engine/protections.js'
import { losses, type Loss } from './nemesis/losses.js'
import { chosen, faults } from './nemesis/table.js'
import { natsTopologies } from './rig/brokers.js'
import { redisTopologies } from './rig/stores.js'
import { printResult } from './run/report.js'
import { runLosses } from './run/loss.js'
import { runChaos, type RunOptions, type RunResult } from './run/run.js'
import { isAtLeast } from '../../engine/version.js'

const help = `npm run chaos -- [options]
  --replicas <n>       engine processes (4)
  --partitions <n>     partitions of the pipeline (16)
  --rate <n>           events a second (4000)
  --seconds <n>        how long random faults go on (60)
  --seed <n>           same seed, same events and much the same faults (now)
  --faults <a,b>       only these; a name may end in *; !name leaves one out; "none" for no fault
  --every              first every fault once, alone (an upgrade later); in the end every loss
  --nats <path>        nats-server to run
  --nats-topology <t>  single, or cluster: three nodes, streams of three replicas
  --redis <path>       redis-server to run
  --redis-topology <t> single, sentinel: a master and its replica, or cluster: three of each
  --lease <duration>   lease of a partition (5s)
  --without <a,b>      switch protections off, to see the run go red
  --json               the result as one line of JSON at the end
  --list               name the faults
`

/** A leader that steps down may lose one publish and take the next; whoever cannot check that, cannot be held to the order. */
const orderCheckedSince = '2.11.0'

const counts = { replicas: 1, partitions: 1, users: 1, rate: 0, seconds: 0, seed: 0 }

await main()

async function main(): Promise<void> {
  const asked = await readOptions().catch(refuse)
  if (asked === 'help') return void process.stdout.write(help)
  if (asked === 'list') return void process.stdout.write([...faults, ...losses].map(({ name }) => `${name}\n`).join(''))
  const startedAt = performance.now()
  const say = (line: string): void => void process.stderr.write(`${secondsSince(startedAt)} ${line}\n`)
  const result = await runAll(asked.options, asked.losses, say)
  printResult(result, process.stderr)
  if (asked.isJson) process.stdout.write(`${JSON.stringify(result)}\n`)
  // Nothing that a broken run left open keeps the process.
  process.exit(result.violations.length === 0 ? 0 : 1)
}

/** What loses nothing at random under one load; then each loss by itself. */
async function runAll(
  options: Omit<RunOptions, 'say'>,
  losses: readonly Loss[],
  say: (line: string) => void,
): Promise<RunResult> {
  const result = await runChaos({ ...options, say })
  const { seed, nats, redis, without = [] } = options
  if (losses.length > 0 && !isSingle(options)) {
    say(`${losses.map(({ name }) => name).join(', ')} are left out: they need a single NATS and a single Redis`)
    return result
  }
  const lost = await runLosses(losses, { seed, nats, redis, without }, say)
  return {
    ...result,
    faults: { ...result.faults, ...Object.fromEntries(losses.map(({ name }) => [name, 1])) },
    violations: [...result.violations, ...lost.violations],
    // What was lost on purpose halts; anything else that does is a violation.
    halts: { ...result.halts, ...lost.halts },
  }
}

function isSingle({ natsTopology, redisTopology }: Omit<RunOptions, 'say'>): boolean {
  return natsTopology === 'single' && redisTopology === 'single'
}

interface Asked {
  readonly options: Omit<RunOptions, 'say'>
  readonly losses: readonly Loss[]
  readonly isJson: boolean
}

/** Throws for what a person can put right: the text says the option, the rule and what was given. */
async function readOptions(): Promise<'help' | 'list' | Asked> {
  const { values } = parseArgs({
    options: {
      replicas: { type: 'string', default: '4' },
      partitions: { type: 'string', default: '16' },
      rate: { type: 'string', default: '4000' },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      users: { type: 'string', default: '2000' },
      faults: { type: 'string' },
      every: { type: 'boolean', default: false },
      nats: { type: 'string' },
      'nats-topology': { type: 'string', default: 'single' },
      redis: { type: 'string' },
      'redis-topology': { type: 'string', default: 'single' },
      lease: { type: 'string', default: '5s' },
      without: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  if (values.list) return 'list'
  const whole = (name: keyof typeof counts): number => {
    const value = Number(values[name])
    if (Number.isInteger(value) && value >= counts[name]) return value
    throw new Error(`--${name} must be a whole number from ${counts[name]} on, got "${values[name]}"`)
  }
  const numbers = {
    replicas: whole('replicas'),
    partitions: whole('partitions'),
    rate: whole('rate'),
    seconds: whole('seconds'),
    seed: whole('seed'),
    users: whole('users'),
  }
  if (parseDuration(values.lease) === undefined)
    throw new Error(`--lease must be a duration such as "5s", got "${values.lease}"`)
  for (const name of list(values.without)) {
    if (!protections.some(protection => protection === name))
      throw new Error(`--without must name protections (${protections.join(', ')}), got "${name}"`)
  }
  const natsTopology = oneOf('--nats-topology', natsTopologies, values['nats-topology'])
  const redisTopology = oneOf('--redis-topology', redisTopologies, values['redis-topology'])
  // Before anything is started.
  if (values.nats !== undefined) {
    const { version } = await findServer('nats-server', { path: values.nats, pathOption: '--nats' })
    if (natsTopology === 'cluster' && !isAtLeast(version, orderCheckedSince))
      throw new Error(
        `--nats-topology cluster needs nats-server ${orderCheckedSince}, which can check the order, got ${version}`,
      )
  }
  if (values.redis !== undefined) await findServer('redis-server', { path: values.redis, pathOption: '--redis' })
  const names = values.faults === 'none' ? undefined : list(values.faults ?? '')
  const asked = names === undefined ? { faults: [], losses: [] } : chosen(names)
  const areLossesAsked = values.every || names?.some(name => !name.startsWith('!')) === true
  const options = {
    ...numbers,
    faults: asked.faults,
    every: values.every,
    nats: values.nats,
    // The installed one may be older than that.
    release: natsTopology === 'cluster' ? ('current' as const) : undefined,
    natsTopology,
    redis: values.redis,
    redisTopology,
    leaseTtl: values.lease,
    without: list(values.without),
    limitedDisks: asked.faults.some(({ name }) => name.endsWith('disk_full')),
  }
  return { options, losses: areLossesAsked ? asked.losses : [], isJson: values.json }
}

function refuse(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(2)
}

/** Throws when it is none of them. */
function oneOf<Word extends string>(option: string, words: readonly Word[], given: string): Word {
  const word = words.find(word => word === given)
  if (word === undefined) throw new Error(`${option} must be one of ${words.join(', ')}, got "${given}"`)
  return word
}

function list(text: string): string[] {
  return text.split(',').filter(name => name !== '')
}

function secondsSince(startedAt: number): string {
  return ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6)
}
