/**
 * `millrace check`: the configuration, the definition, every stage with its files, and the servers as far as they answer. Says
 * everything that is wrong, then ends with 1; a server that cannot be reached is said and not counted as wrong.
 */
import { MillraceError, messageOf } from '../errors.js'
import type { Fence } from '../nats/fence.js'
import { lanes } from '../nats/names.js'
import { provision } from '../nats/provision.js'
import { streamRisks } from '../nats/stream-risks.js'
import type { Pipeline } from '../pipeline.js'
import { StageChain } from '../stages.js'
import type { ExitCode, Services } from './services.js'
import { styles } from './terminal.js'
import { withWorkspace, type Workspace, type WorkspaceOptions } from './workspace.js'

export interface CheckOptions extends WorkspaceOptions {
  /** Events a second, for what the memory of a stage costs. */
  readonly rate: number
  /** Create what is missing, as `run` would. */
  readonly provision: boolean
}

class Report {
  problems = 0
  readonly #style
  readonly #out

  constructor({ io }: Services) {
    this.#style = styles(io.stdout, io.env)
    this.#out = io.stdout
  }

  ok(text: string): void {
    this.#line(this.#style('green', 'ok'), text)
  }

  note(text: string): void {
    this.#line(this.#style('yellow', '--'), text)
  }

  wrong(text: string): void {
    this.problems++
    this.#line(this.#style('red', 'no'), text)
  }

  /** Every line of the error; unreachable servers are only noted. */
  failure(what: string, error: unknown): void {
    if (error instanceof MillraceError && error.action === 'retry' && error.code !== 'permission_denied') {
      this.note(`${what} not checked: ${error.message}`)
      return
    }
    const code = error instanceof MillraceError ? `${error.code}: ` : ''
    const lines = error instanceof MillraceError && error.lines.length > 0 ? error.lines : [messageOf(error)]
    for (const line of lines) this.wrong(`${what}: ${code}${line}`)
  }

  #line(mark: string, text: string): void {
    this.#out.write(`${mark}  ${text}\n`)
  }
}

export async function check(options: CheckOptions, services: Services): Promise<ExitCode> {
  const report = new Report(services)
  await withWorkspace(options, services, async workspace => {
    await checkDefinition(workspace, report, options.rate)
    await checkNats(workspace, report, options.provision)
    await checkRedis(workspace, report)
  })
  return report.problems === 0 ? 0 : 1
}

async function checkDefinition({ pipeline, folder }: Workspace, report: Report, rate: number): Promise<void> {
  const model = pipeline.profile.model()
  report.ok(`pipeline "${pipeline.name}", definition ${pipeline.hash}, ${pipeline.partitions} partitions`)
  report.ok(
    `profile "${model.name}": ${model.traits.length} traits, ${model.segments.length} segments, ${model.triggers.length} triggers`,
  )
  for (const stage of pipeline.stages) {
    try {
      const chain = await StageChain.start([stage], { folder, notice: () => undefined }, silentObserver)
      await chain.close()
      report.ok(`stage "${stage.name}" starts${memoryCost(stage, rate)}`)
    } catch (error) {
      report.failure(`stage "${stage.name}"`, error)
    }
  }
}

/** 8 bytes an event in Redis, about 16 in the process (see `hash-memory.ts`). */
function memoryCost({ memory }: Pipeline['stages'][number], rate: number): string {
  if (memory === undefined) return ''
  const events = (memory.windowMs / 1000) * rate
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
  const window = memory.windowMs / 60_000
  return `; remembers ${window} min: at ${rate} events/s ${megabytes(events * 8)} in Redis, ${megabytes(events * 16)} in memory`
}

async function checkNats(workspace: Workspace, report: Report, mayCreate: boolean): Promise<void> {
  const { config, pipeline, names } = workspace
  try {
    const { connection } = await workspace.nats()
    const version = connection.info?.version ?? '?'
    report.ok(`NATS ${version} with JetStream at ${connection.getServer()}`)
    const created = await provision(connection, names, {
      mode: mayCreate ? 'create' : 'verify',
      isExplicit: mayCreate,
      partitions: pipeline.partitions,
      replicas: config.replicas,
      keepMs: config.retention.keep,
      minKeepMs: config.retention.minimum,
    })
    report.ok(created.length > 0 ? `streams created: ${created.join(', ')}` : 'streams and mapping are as needed')
    for (const risk of await streamRisks(connection, names, config.replicas)) report.note(risk)
    await checkFence(workspace, report)
  } catch (error) {
    report.failure('NATS', error)
  }
}

/** What becomes of a publish that comes late, from a replica that does not own the partition any more. */
const fenceMeaning: Record<Fence, (windowMs: number) => string> = {
  batch: () => 'a late publish is refused, batch by batch',
  fast_batch: () => 'a late publish is refused',
  each: () => 'a late publish is refused, one message in flight at a time; NATS 2.12 and later take batches',
  none: windowMs =>
    `a late publish is recognized by its id within ${windowMs / 60_000} min and stored again after that; NATS 2.11 and later refuse it`,
}

/** One line for all output streams that have the same fence. */
async function checkFence(workspace: Workspace, report: Report): Promise<void> {
  const { names } = workspace
  const { streams } = await workspace.nats()
  const found = new Map<string, string[]>()
  for (const lane of lanes) {
    const stream = names.streams[lane]
    const facts = await streams.facts(stream)
    const fence = streams.fence(facts)
    const text = `publish fence "${fence}": ${fenceMeaning[fence](facts.duplicateWindowMs)}`
    found.set(text, [...(found.get(text) ?? []), stream])
  }
  for (const [text, of] of found) {
    const line = found.size === 1 ? text : `${text} (${of.join(', ')})`
    if (text.startsWith('publish fence "none"')) report.note(line)
    else report.ok(line)
  }
}

async function checkRedis(workspace: Workspace, report: Report): Promise<void> {
  try {
    const { warnings } = await workspace.store()
    report.ok('Redis answers, eviction is off')
    for (const warning of warnings) report.note(warning)
  } catch (error) {
    report.failure('Redis', error)
  }
}

const silentObserver = { stage: () => undefined, dropped: () => undefined, prepareFailed: () => undefined }
