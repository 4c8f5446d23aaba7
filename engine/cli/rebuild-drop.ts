/**
 * `millrace rebuild drop`: deletes what a generation holds that nobody needs any more: one that was sealed and succeeded, or one
 * whose building is given up. Beside engines at work, in small steps; may be repeated and interrupted.
 */
import { MillraceError } from '../errors.js'
import { stateNameOf } from '../generation.js'
import { ledgerStream } from '../nats/names.js'
import type { PartitionMeta, ProfileStore } from '../store.js'
import type { ExitCode, Services } from './services.js'
import { withWorkspace, type Workspace, type WorkspaceOptions } from './workspace.js'

export interface DropOptions extends WorkspaceOptions {
  readonly generation: number
}

type Metas = readonly (PartitionMeta | undefined)[]

/** 0 when it is gone, 1 when somebody needs it. */
export function rebuildDrop(options: DropOptions, services: Services): Promise<ExitCode> {
  return withWorkspace(options, services, async workspace => {
    const { stdout, stderr } = services.io
    const { generation } = options
    const { store } = await workspace.store()
    const doomed = store.at(generation)
    const metas = await readMetas(doomed, workspace)
    const needed = await whoNeeds(workspace, store, metas, options, services)
    if (needed.length > 0) {
      for (const why of needed) stderr.write(`${why}\n`)
      stderr.write('nothing was deleted\n')
      return 1
    }
    // The seal of one that was sealed stays: an engine that is started with it by mistake finds that and stands by.
    const unfinished = [...metas.keys()].filter(partition => isUnfinished(metas[partition]))
    for (const partition of unfinished) {
      if (!(await doomed.drop(partition)))
        throw new MillraceError('generation_mismatch', `partition ${partition} has been switched meanwhile`)
    }
    const count = await doomed.clear()
    for (const partition of unfinished) await forget(workspace, doomed, partition, generation)
    stdout.write(`generation ${generation}: ${count} keys deleted\n`)
    return 0
  })
}

/** Being built, or already being deleted. */
function isUnfinished(meta: PartitionMeta | undefined): boolean {
  return meta?.phase === 'building' || meta?.phase === 'dropped'
}

async function readMetas(store: ProfileStore, { pipeline }: Workspace): Promise<Metas> {
  return Promise.all(Array.from({ length: pipeline.partitions }, (_, partition) => store.readMeta(partition)))
}

/** The meta last: as long as it is there, this can be repeated. */
async function forget(workspace: Workspace, store: ProfileStore, partition: number, generation: number): Promise<void> {
  const { names, pipeline } = workspace
  const { streams } = await workspace.nats()
  await streams.forget(ledgerStream, names.ledgerSubject(stateNameOf(pipeline.name, generation), partition))
  await store.forget(partition)
}

/** A line for every partition that stands in the way. */
async function whoNeeds(
  workspace: Workspace,
  store: ProfileStore,
  metas: Metas,
  { generation }: DropOptions,
  { sleep, interrupted }: Services,
): Promise<string[]> {
  const lines = await phasesInTheWay(workspace, store, metas, generation)
  const isBuilding = metas.some(meta => meta?.phase === 'building' && meta.token !== '')
  if (lines.length > 0 || !isBuilding) return lines
  // An engine that was killed has left its name; one that lives shows it within its lease.
  await sleep(workspace.config.lease.ttl, interrupted)
  if (interrupted.aborted) return ['interrupted before it was known whether an engine builds it']
  const later = await readMetas(store.at(generation), workspace)
  const building = later.flatMap((meta, partition) =>
    meta?.renewals === metas[partition]?.renewals ? [] : `partition ${partition}: "${meta?.replica}" is building it`,
  )
  // Meanwhile somebody may have switched.
  return [...building, ...(await phasesInTheWay(workspace, store, later, generation))]
}

/** The same as far as it shows in where this generation stands, and those before and after it. */
async function phasesInTheWay(
  workspace: Workspace,
  store: ProfileStore,
  metas: Metas,
  generation: number,
): Promise<string[]> {
  const next = await readMetas(store.at(generation + 1), workspace)
  const before = generation === 1 ? [] : await readMetas(store.at(generation - 1), workspace)
  return metas.flatMap((meta, partition) => {
    const at = `partition ${partition}: generation`
    if (meta?.phase === '') return `${at} ${generation} is in force`
    if (meta?.phase === 'sealed' && next[partition]?.phase !== '' && next[partition]?.phase !== 'sealed') {
      return `${at} ${generation + 1} has not taken over yet`
    }
    const isNext = meta?.phase === 'building' && before[partition]?.phase === 'sealed'
    return isNext ? `${at} ${generation} is about to take over` : []
  })
}
