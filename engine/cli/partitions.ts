/** `millrace partitions list | resume`: where each partition stands, and going on after a halt. */
import { randomUUID } from 'node:crypto'
import { findProblem } from '../attach.js'
import { messageOf, type MillraceError } from '../errors.js'
import { withoutNothing } from '../protections.js'
import { freshMeta, type PartitionMeta, type ProfileStore } from '../store.js'
import type { ExitCode, Services } from './services.js'
import { table } from './terminal.js'
import { withWorkspace, type Workspace, type WorkspaceOptions } from './workspace.js'

interface Standing {
  readonly partition: number
  readonly meta: PartitionMeta | undefined
  /** Stream sequences after the position, other partitions' events included. */
  readonly behind: number
  readonly problem: MillraceError | undefined
}

export function partitionsList(options: WorkspaceOptions & { json: boolean }, services: Services): Promise<ExitCode> {
  return withWorkspace(options, services, async workspace => {
    const { store } = await workspace.store()
    const standings = await Promise.all(
      Array.from({ length: workspace.pipeline.partitions }, (_, partition) => standingOf(workspace, store, partition)),
    )
    const rows = standings.map(({ partition, meta, behind, problem }) => ({
      partition,
      owner: meta?.token === undefined || meta.token === '' ? '-' : meta.token.slice(0, 13),
      position: meta?.position ?? '-',
      behind,
      time: meta === undefined || meta.now === 0 ? '-' : new Date(meta.now).toISOString(),
      state: stateOf(meta, problem),
    }))
    const { stdout } = services.io
    if (options.json) for (const row of rows) stdout.write(`${JSON.stringify(row)}\n`)
    else
      stdout.write(
        table(
          rows.map(row => Object.values(row)),
          Object.keys(rows[0]!),
        ),
      )
    return rows.some(({ state }) => state.startsWith('halt')) ? 1 : 0
  })
}

export interface ResumeOptions extends WorkspaceOptions {
  readonly partitions: readonly number[]
  readonly all: boolean
  readonly acceptLoss: boolean
}

/** 0 when every named partition may go on, 1 when a loss must be accepted first, 2 when the call names none. */
export function partitionsResume(options: ResumeOptions, services: Services): Promise<ExitCode> {
  return withWorkspace(options, services, async workspace => {
    const { stdout, stderr } = services.io
    const count = workspace.pipeline.partitions
    const wanted = options.all ? Array.from({ length: count }, (_, partition) => partition) : options.partitions
    const unknown = wanted.find(partition => !(partition < count))
    if (wanted.length === 0 || unknown !== undefined) {
      const got = unknown === undefined ? 'none' : String(unknown)
      stderr.write(`name partitions from 0 to ${count - 1}, or --all; got ${got}\n`)
      return 2
    }
    const { store } = await workspace.store()
    let exit: ExitCode = 0
    for (const partition of wanted) {
      const { problem, meta } = await standingOf(workspace, store, partition)
      if (problem === undefined) {
        stdout.write(`partition ${partition}: nothing to resume\n`)
      } else if (!options.acceptLoss) {
        stderr.write(`partition ${partition}: ${problem.code}: ${messageOf(problem)}\n`)
        exit = 1
      } else {
        // A flushed Redis has no meta to write to; nobody owns what is not there.
        if (meta === undefined) await makeState(store, partition)
        await store.accept(partition, problem.code)
        stdout.write(
          `partition ${partition}: ${problem.code} accepted, it goes on within seconds when an engine runs\n`,
        )
      }
    }
    if (exit === 1) stderr.write('what is lost stays lost; to go on without it, say so with --accept-loss\n')
    return exit
  })
}

async function makeState(store: ProfileStore, partition: number): Promise<void> {
  const claim = { replica: 'millrace partitions', id: randomUUID(), stateId: randomUUID(), expected: '' }
  const meta = await store.acquire(partition, claim)
  if (meta !== undefined) await store.release(partition, meta.token)
}

/** An accepted loss is no halt any more: the partition goes on as soon as an engine attaches. */
function stateOf(meta: PartitionMeta | undefined, problem: MillraceError | undefined): string {
  if (problem === undefined) return meta === undefined ? 'new' : 'ok'
  return meta?.accepted === problem.code ? `accepted: ${problem.code}` : `halt: ${problem.code}`
}

async function standingOf(workspace: Workspace, store: ProfileStore, partition: number): Promise<Standing> {
  const { names, pipeline } = workspace
  const { streams } = await workspace.nats()
  const meta = await store.readMeta(partition)
  const context = {
    streams,
    names,
    pipeline: pipeline.name,
    partition,
    definition: pipeline.hash,
    without: withoutNothing,
  }
  const facts = await streams.facts(names.streams.events)
  // An absent state matches no record that NATS may hold.
  const problem = await findProblem(context, meta ?? freshMeta(''), facts)
  const position = meta === undefined ? facts.firstSeq - 1 : meta.position - meta.sequenceOffset
  return { partition, meta, behind: Math.max(0, facts.lastSeq - position), problem }
}
