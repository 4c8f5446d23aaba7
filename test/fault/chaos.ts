/**
 * `npm run chaos`: load and random faults on private servers, then the oracle. Ends with 1 when an invariant was broken.
 *
 *     npm run chaos -- --replicas 4 --partitions 16 --rate 4000 --seconds 300 --seed 1
 */
import { parseArgs } from 'node:util'
import { faults, faultsNamed } from './nemesis/table.js'
import { printResult } from './run/report.js'
import { runChaos } from './run/run.js'

const help = `npm run chaos -- [options]
  --replicas <n>       engine processes (4)
  --partitions <n>     partitions of the pipeline (16)
  --rate <n>           events a second (4000)
  --seconds <n>        how long random faults go on (60)
  --seed <n>           same seed, same events and faults (now)
  --faults <a,b>       only these; a name may end in *; "none" for no fault
  --every              first every fault once, alone
  --nats <path>        nats-server to run
  --redis <path>       redis-server to run
  --lease <duration>   lease of a partition (5s)
  --without <a,b>      switch protections off, to see the run go red
  --json               the result as one line of JSON at the end
  --list               name the faults
`

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
    redis: { type: 'string' },
    lease: { type: 'string', default: '5s' },
    without: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) process.stdout.write(help)
else if (values.list) process.stdout.write(faults.map(({ name }) => `${name}\n`).join(''))
else await main()

async function main(): Promise<void> {
  const startedAt = performance.now()
  const chosen = values.faults === undefined ? faults : values.faults === 'none' ? [] : faultsNamed(list(values.faults))
  const result = await runChaos({
    replicas: whole('replicas'),
    partitions: whole('partitions'),
    rate: whole('rate'),
    seconds: whole('seconds'),
    seed: whole('seed'),
    users: whole('users'),
    faults: chosen,
    every: values.every,
    nats: values.nats,
    redis: values.redis,
    leaseTtl: values.lease,
    without: list(values.without),
    limitedDisks: chosen.some(({ name }) => name.endsWith('disk_full')),
    say: line => process.stderr.write(`${seconds(startedAt)} ${line}\n`),
  })
  printResult(result, process.stderr)
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  // Nothing that a broken run left open keeps the process.
  process.exit(result.violations.length === 0 ? 0 : 1)
}

function whole(name: 'replicas' | 'partitions' | 'rate' | 'seconds' | 'seed' | 'users'): number {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} must be a whole number, got "${values[name]}"`)
  return value
}

function list(text: string): string[] {
  return text.split(',').filter(name => name !== '')
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1).padStart(6)
}
