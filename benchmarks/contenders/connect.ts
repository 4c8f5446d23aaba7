/**
 * Redpanda Connect (Benthos): the pipeline is configuration, the processors are its own. `go.mod` beside it has the versions:
 * Connect's components of 4.49.1 on the Benthos core 4.77.0.
 */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse } from 'csv-parse/sync'
import { readSchemas } from '../../examples/shop/avro.js'
import { shopFolder } from '../workloads/personalization/workload.js'
import type { Contender, Entrant, Site } from './contender.js'
import { builtOnce } from './peer-cache.js'
import { startPeer } from './peer-process.js'
import { peersLack } from './peers-lack.js'
import { readProfileTotals } from './profile-totals.js'
import { StreamConsumer } from './stream-consumer.js'

const run = promisify(execFile)

/** From `build/benchmarks/contenders/`. */
const sources = fileURLToPath(new URL('../../../benchmarks/peers/connect/', import.meta.url))
const program = 'connect'
/** Where the installers of Go put it, which is not on everybody's PATH. */
const goPrograms = ['go', '/usr/local/go/bin/go']

const connectLacks: readonly string[] = [
  ...peersLack,
  'order of the events of a person: processing threads overtake one another',
  'bytes after a record: its Avro decoder does not notice them, so a few damaged events count',
]

interface Configuration extends Pick<Contender, 'name' | 'label' | 'guarantee' | 'lacks'> {
  readonly file: string
  readonly environment: Readonly<Record<string, string>>
}

function configured({ file, environment, ...about }: Configuration): Contender {
  return {
    ...about,
    prepare: async () => {
      await buildConnect()
    },
    start: site => start(site, about.name, file, environment),
    totals: readProfileTotals,
  }
}

/** Every setting that helped, and what no documentation shows: a batch as one message, for one script of our own. */
export const connectTuned = configured({
  name: 'connect',
  label: 'Redpanda Connect, a script per batch',
  guarantee:
    'At least once: acknowledged after the output; deduplication and profile are one script, and a batch that is delivered ' +
    'again is applied again, counters twice.',
  lacks: connectLacks,
  file: 'tuned.yaml',
  // By default a quarter of its processor time is garbage collection. Beyond this, memory grows and little is gained.
  environment: { GOGC: '400' },
})

/** As its documentation advises for throughput: many threads, each event one step, many publishes on their way. */
export const connectThreads = configured({
  name: 'connect_threads',
  label: 'Redpanda Connect, a script per event',
  guarantee: connectTuned.guarantee,
  lacks: connectLacks,
  file: 'tuned.yaml',
  environment: { GOGC: '400', BATCH: '1', THREADS: '32' },
})

/** What its documentation shows. */
export const connectExamples = configured({
  name: 'connect_examples',
  label: 'Redpanda Connect, as in its examples',
  guarantee:
    'Less than at least once: its dedupe processor remembers an event before the effects, which a crash in between loses.',
  lacks: [...connectLacks, 'one step for all of an event: each counter is a round trip of its own'],
  file: 'examples.yaml',
  environment: {},
})

async function start(
  site: Site,
  name: string,
  file: string,
  environment: Readonly<Record<string, string>>,
): Promise<Entrant> {
  const binary = join(await buildConnect(), program)
  await writeTables(site.folder)
  const consumer = await StreamConsumer.watch(site, name)
  const command = {
    name,
    command: binary,
    arguments: ['run', join(sources, file)],
    environment: {
      NATS_URL: site.natsUrl,
      REDIS_URL: site.redisUrl,
      EVENTS_STREAM: site.eventsStream,
      CONSUMER: consumer.name,
      FOLDER: site.folder,
      ...environment,
    },
  }
  return startPeer(site, command, consumer)
}

/** Rejects with a sentence when there is no Go or the modules cannot be fetched. Resolves to the folder of the program. */
async function buildConnect(): Promise<string> {
  const files = ['main.go', 'go.mod', 'go.sum'].map(name => join(sources, name))
  return builtOnce(program, files, async folder => {
    const go = await findGo()
    await run(go, ['build', '-mod=readonly', '-o', join(folder, program), '.'], { cwd: sources }).catch(
      (cause: unknown) => {
        throw new Error('Redpanda Connect could not be built with Go', { cause })
      },
    )
  })
}

async function findGo(): Promise<string> {
  for (const go of goPrograms) {
    const found = await run(go, ['version']).then(
      () => true,
      () => false,
    )
    if (found) return go
  }
  throw new Error('Redpanda Connect needs Go to be built, and there is none')
}

/** The schemas in their canonical form, because with other attributes its fingerprints differ, and the catalogue as a map. */
async function writeTables(folder: string): Promise<void> {
  for (const [name, { type }] of await readSchemas(join(shopFolder, 'schemas'))) {
    await writeFile(join(folder, `${name}.avsc`), JSON.stringify(type.schema()))
  }
  const rows = parse(await readFile(join(shopFolder, 'catalogue.csv')), { columns: true }) as Record<string, string>[]
  const categories = JSON.stringify(Object.fromEntries(rows.map(row => [row.productId, row.category])))
  await writeFile(join(folder, 'catalogue.blobl'), `map category {\n  root = ${categories}.get(this)\n}\n`)
}
