/** `millrace partitions list | resume`: where each partition stands, and going on after a halt. */
import { randomUUID } from 'node:crypto'
import { MillraceError, messageOf } from '../errors.js'
import { readBefore, stateNameOf } from '../generation.js'
import { pendingAfter } from '../nats/pending.js'
import { endOf, inspect } from '../partition/attach.js'
import { Floors } from '../partition/floors.js'
import { withoutNothing } from '../protections.js'
import { freshMeta, type PartitionMeta, type ProfileStore } from '../store.js'
import { reportedHalt, watchLeases, type LeaseSign } from './lease-signs.js'
import type { ExitCode, Services } from './services.js'
import { table } from './terminal.js'
import { withWorkspace, type Workspace, type WorkspaceOptions } from './workspace.js'

interface Standing {
  readonly partition: number
  readonly meta: PartitionMeta | undefined
  /** Stream sequence up to which the partition is processed. */
  readonly processedSeq: number
  /** Why it must not be processed. */
  readonly problem: MillraceError | undefined
  /** The problem, if there is one, is that something is gone: a person can accept that. */
  readonly isAcceptable: boolean
}

/** 1 when a partition is halted. */
export function partitionsList(options: WorkspaceOptions & { json: boolean }, services: Services): Promise<ExitCode> {
  return withWorkspace(options, services, async workspace => {
    const { store } = await workspace.store()
    const { config, pipeline } = workspace
    const numbers = Array.from({ length: pipeline.partitions }, (_, partition) => partition)
    const signs = await watchLeases(store, numbers, config.lease.ttl, services)
    const members = await store.members()
    const rows = await Promise.all(
      numbers.map(async partition => {
        const standing = await standingOf(workspace, store, partition, services)
        const sign = signs[partition]!
        const reported = reportedHalt(members, standing, sign)
        return rowOf(standing, sign, { pending: await pendingOf(workspace, standing), reported })
      }),
    )
    const { stdout } = services.io
    if (options.json) for (const row of rows) stdout.write(`${JSON.stringify(row)}\n`)
    else
      stdout.write(table(rows.map(shown), ['partition', 'owner', 'lease age', 'position', 'pending', 'time', 'state']))
    return rows.some(({ state }) => state.startsWith('halt')) ? 1 : 0
  })
}

type Row = ReturnType<typeof rowOf>
type Cell = string | number

interface Found {
  /** Events of this partition in the stream behind its position. */
  readonly pending: number
  /** Why its owner has halted it. */
  readonly reported: string | undefined
}

function rowOf({ partition, meta, problem }: Standing, { lease, ageMs }: LeaseSign, { pending, reported }: Found) {
  return {
    partition,
    /** Name of the replica; absent when nobody owns the partition. */
    owner: meta === undefined || meta.token === '' ? undefined : meta.replica,
    lease,
    /** Since the last renewal; a lower bound when none was seen. */
    ...(lease === 'none' ? {} : { leaseAgeMs: ageMs, leaseAgeIsLowerBound: lease === 'still' }),
    position: meta?.position,
    pending,
    time: meta === undefined || meta.now === 0 ? undefined : new Date(meta.now).toISOString(),
    state: stateOf(meta, problem, reported),
  }
}

function shown({ partition, owner, lease, leaseAgeMs = 0, position, pending, time, state }: Row): Cell[] {
  const seconds = `${(leaseAgeMs / 1000).toFixed(1)} s`
  const age = { none: '-', moving: seconds, still: `over ${seconds}` }[lease]
  return [partition, owner ?? '-', age, position === undefined ? '-' : String(position), pending, time ?? '-', state]
}

async function pendingOf(workspace: Workspace, { partition, processedSeq }: Standing): Promise<number> {
  const { streams } = await workspace.nats()
  const { names } = workspace
  return pendingAfter(streams, names.streams.events, names.eventFilter(partition), processedSeq)
}

export interface ResumeOptions extends WorkspaceOptions {
  readonly partitions: readonly number[]
  readonly all: boolean
  readonly acceptLoss: boolean
}

/** 0 when every named partition may go on, 1 when a loss must be accepted or a cause removed first, 2 when the call names none. */
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
      const { problem, isAcceptable, meta } = await standingOf(workspace, store, partition, services)
      if (problem === undefined) {
        stdout.write(`partition ${partition}: nothing to resume\n`)
      } else if (!options.acceptLoss || !isAcceptable) {
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
    if (exit === 1 && !options.acceptLoss)
      stderr.write('what is lost stays lost; to go on without it, say so with --accept-loss\n')
    return exit
  })
}

async function makeState(store: ProfileStore, partition: number): Promise<void> {
  const claim = { replica: 'millrace partitions', id: randomUUID(), stateId: randomUUID(), expected: '' }
  const meta = await store.acquire(partition, claim)
  if (meta !== undefined) await store.release(partition, meta.token)
}

/**
 * An accepted loss is no halt any more: the partition goes on as soon as an engine attaches. What was found just now comes before
 * what its owner says, who checks every two seconds.
 */
function stateOf(
  meta: PartitionMeta | undefined,
  problem: MillraceError | undefined,
  reported: string | undefined,
): string {
  if (meta?.phase === 'sealed') return 'sealed'
  if (problem === undefined && reported !== undefined) return `halt: ${reported}`
  if (problem === undefined) return meta === undefined ? 'new' : meta.phase || 'ok'
  return meta?.accepted === problem.code ? `accepted: ${problem.code}` : `halt: ${problem.code}`
}

async function standingOf(
  workspace: Workspace,
  store: ProfileStore,
  partition: number,
  { clock }: Services,
): Promise<Standing> {
  const { names, pipeline, config } = workspace
  const { streams } = await workspace.nats()
  // Before the meta: what an owner at work publishes afterwards would seem to be unknown to Redis.
  const floors = Floors.read({ streams, names, pipeline: pipeline.name, partition, clock })
  await Promise.allSettled([floors])
  const meta = await store.readMeta(partition)
  const context = {
    streams,
    names,
    state: stateNameOf(pipeline.name, config.generation),
    before: await readBefore(store, pipeline.name, config.generation, partition),
    partition,
    partitions: pipeline.partitions,
    definition: pipeline.hash,
    without: withoutNothing,
  }
  // An absent state matches no record that NATS may hold.
  const known = meta ?? freshMeta('')
  const end = endOf(known)
  const facts = await streams.settledFacts(names.streams.events, end)
  // Before the first start the published streams may not be there, and say nothing about it.
  const isNew = known.streamCreated === ''
  const published = isNew ? Promise.resolve(-1) : floors.then(({ highestSeq }) => highestSeq)
  const inspected = await orHalt(inspect(context, known, facts, published))
  const isAcceptable = !(inspected instanceof MillraceError)
  const problem = isAcceptable ? inspected.problem : inspected
  return { partition, meta, processedSeq: Math.max(0, end.seq), problem, isAcceptable }
}

/** The result, or the halt that it was rejected with. */
function orHalt<T>(result: Promise<T>): Promise<T | MillraceError> {
  return result.catch((error: unknown) => {
    if (error instanceof MillraceError && error.isHalt) return error
    throw error
  })
}
