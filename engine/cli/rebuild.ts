/**
 * `millrace rebuild status | switch`: how far the configured generation has come behind the one before it, and the moment at which
 * it goes on instead. Both may be repeated and interrupted: what they decide by is stored with the partitions.
 */
import { MillraceError } from '../errors.js'
import type { PartitionMeta, ProfileStore } from '../store.js'
import type { ExitCode, Services } from './services.js'
import { table } from './terminal.js'
import { withWorkspace, type Workspace, type WorkspaceOptions } from './workspace.js'

export interface RebuildOptions extends WorkspaceOptions {
  /** Stream sequences, other partitions' events included. */
  readonly maxLag: number
}

/**
 * - `missing`: no engine has run the generation yet.
 * - `building`: it follows the one before.
 * - `switching`: that one is sealed, some events are left to fold.
 * - `in force`, or `sealed` itself.
 * - `dropped`: it was given up and is being deleted.
 */
type RebuildState = 'missing' | 'building' | 'switching' | 'in force' | 'sealed' | 'dropped'

interface Progress {
  readonly partition: number
  readonly before: PartitionMeta | undefined
  readonly meta: PartitionMeta | undefined
  readonly state: RebuildState
  /** Of a generation that is not in force yet. */
  readonly lag: number
}

/** While timers that are due have not fired. Engines at work need some milliseconds. */
const sealTries = 20
const sealRetryMs = 100

/** 0 when `switch` would go through or has. */
export function rebuildStatus(options: RebuildOptions & { json: boolean }, services: Services): Promise<ExitCode> {
  return withWorkspace(options, services, async workspace => {
    const { stdout } = services.io
    const all = await progressOf(workspace)
    const rows = all.map(({ partition, before, meta, state, lag }) => ({
      partition,
      before: before?.position ?? '-',
      position: meta?.position ?? '-',
      lag,
      owner: meta?.replica || '-',
      state,
    }))
    if (options.json) for (const row of rows) stdout.write(`${JSON.stringify(row)}\n`)
    else
      stdout.write(
        table(
          rows.map(row => Object.values(row)),
          Object.keys(rows[0]!),
        ),
      )
    return all.some(progress => obstacleOf(progress, options.maxLag) !== undefined) ? 1 : 0
  })
}

/** 0 when every partition is switched, 1 when one is not far enough: then none is touched. 2 when there is nothing to switch from. */
export function rebuildSwitch(options: RebuildOptions, services: Services): Promise<ExitCode> {
  return withWorkspace(options, services, async workspace => {
    const { stdout, stderr } = services.io
    const { generation } = workspace.config
    if (generation === 1) {
      stderr.write('generation 1 has none before it; set "generation" to the one that was built\n')
      return 2
    }
    const all = await progressOf(workspace)
    const obstacles = all.flatMap(progress => obstacleOf(progress, options.maxLag) ?? [])
    if (obstacles.length > 0) {
      for (const obstacle of obstacles) stderr.write(`${obstacle}\n`)
      stderr.write('nothing was switched\n')
      return 1
    }
    const { store } = await workspace.store()
    const previous = store.at(generation - 1)
    for (const { partition, state } of all) {
      if (state === 'building' && !(await isSealed(previous, partition, services))) {
        stderr.write(
          `interrupted: partition ${partition} and those after it are not switched; the command may be repeated\n`,
        )
        return 1
      }
      const position = (await previous.readMeta(partition))?.position ?? '-'
      stdout.write(`partition ${partition}: generation ${generation} goes on after position ${position}\n`)
    }
    return 0
  })
}

/**
 * Waits until no timer is due, so that none is taken for fired that has not; but not for an owner that commits nothing any more. False
 * when that is interrupted.
 */
async function isSealed(store: ProfileStore, partition: number, services: Services): Promise<boolean> {
  const { sleep, interrupted, io } = services
  let commitId: string | undefined
  for (let tries = 1; !interrupted.aborted; tries++) {
    const meta = await store.readMeta(partition)
    if (meta?.commitId !== commitId) tries = 1
    commitId = meta?.commitId
    const insists = tries >= sealTries
    const outcome = await store.seal(partition, insists)
    if (outcome === 'sealed') {
      if (insists) io.stderr.write(`partition ${partition}: timers that were due and not fired are taken for fired\n`)
      return true
    }
    if (outcome !== 'busy')
      throw new MillraceError('generation_mismatch', `partition ${partition} of the generation before is ${outcome}`)
    await sleep(sealRetryMs, interrupted)
  }
  return false
}

async function progressOf(workspace: Workspace): Promise<Progress[]> {
  const { pipeline, config } = workspace
  const { store: own } = await workspace.store()
  const { generation } = config
  const rows = Array.from({ length: pipeline.partitions }, async (_, partition): Promise<Progress> => {
    // The one before first: the follower is read later, so its lag is never made larger than it is.
    const before = generation === 1 ? undefined : await own.at(generation - 1).readMeta(partition)
    const meta = await own.readMeta(partition)
    const state = stateOf(meta, before)
    const isBehind = state === 'building' || state === 'switching'
    const lag = isBehind ? Math.max(0, (before?.position ?? 0) - meta!.position) : 0
    return { partition, before, meta, state, lag }
  })
  return Promise.all(rows)
}

function stateOf(meta: PartitionMeta | undefined, before: PartitionMeta | undefined): RebuildState {
  if (meta === undefined || meta.streamCreated === '') return 'missing'
  if (meta.phase === 'sealed' || meta.phase === 'dropped') return meta.phase
  if (meta.phase === '') return 'in force'
  return before?.phase === 'sealed' ? 'switching' : 'building'
}

/** Why this partition cannot be switched, if there is a reason. */
function obstacleOf({ partition, state, lag, meta }: Progress, maxLag: number): string | undefined {
  if (state === 'missing') return `partition ${partition}: no engine has run this generation yet`
  if (state === 'dropped') return `partition ${partition}: "rebuild drop" has begun to delete it and must be run again`
  if (state !== 'building') return undefined
  if (meta!.token === '') return `partition ${partition}: no engine runs this generation`
  if (lag > maxLag) return `partition ${partition}: ${lag} behind, at most ${maxLag} are allowed (--max-lag)`
  return undefined
}
