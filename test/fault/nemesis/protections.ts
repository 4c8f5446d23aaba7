/**
 * For each protection of the protocol a course of events in which it is what keeps the promise: with it nothing is broken,
 * without it the suite says what is.
 */
import { seeded } from '../../../examples/shop/random.js'
import type { Protection } from '../../../engine/protections.js'
import { eventually } from '../../support/eventually.js'
import type { Invariant } from '../oracle/violations.js'
import { OwnerWatch } from '../rig/owner-watch.js'
import { loseDeliveries } from '../rig/lossy-deliveries.js'
import type { Member } from '../rig/rig.js'
import type { Directed, DirectedOptions } from '../run/directed.js'
import { losses } from './losses.js'
import { bringBack, copyFiles } from './redis.js'
import { rollBackDefinition } from './rollbacks.js'

export interface Proof {
  readonly protection: Protection
  /** What it protects from. */
  readonly from: string
  /** What is broken without it, at least. */
  readonly breaks: Invariant
  readonly options: Omit<DirectedOptions, 'seed'>
  readonly happen: (run: Directed) => Promise<void>
}

/** A commit that writes profiles: the script's keys come in one piece. */
const isCommit = (bytes: Buffer): boolean => bytes.includes('evalsha') && bytes.includes(':p:')

export const proofs: readonly Proof[] = [
  {
    protection: 'gap_check',
    from: 'deliveries are lost between NATS and the replica',
    breaks: 'profile_equal',
    options: {
      replicas: 1,
      prepare: rig => {
        const random = seeded(7)
        let deliveries = 0
        // None of the last ones, so that whatever was skipped is skipped for good.
        const isLost = (): boolean => deliveries++ < 3_000 && random.chance(0.01)
        rig.members[0]!.links.nats.filterToClient(() => loseDeliveries(isLost))
      },
    },
    happen: async run => {
      await run.publish(4_000)
      await run.still()
    },
  },
  {
    protection: 'compare_and_set',
    from: 'Redis loses its last moments under a live owner, which then commits on top',
    breaks: 'profile_equal',
    options: { replicas: 1 },
    happen: async run => {
      await run.publish(1_000)
      const copy = await copyFiles(run.rig, 'earlier')
      await run.publish(1_000)
      await run.still()
      // On its way when Redis goes, so that it is what the owner sends again when Redis is back.
      const commit = run.rig.members[0]!.links.redis.hold(isCommit)
      // Few, so that it does not rewrite every profile.
      await run.publish(100)
      await commit.caught
      await bringBack(run.rig, copy)
      await run.still()
    },
  },
  {
    protection: 'token',
    from: "a former owner's commit arrives when the next owner has read the state",
    breaks: 'owner_writes',
    options: { replicas: 2, started: 1, partitions: 1 },
    happen: commitTooLate,
  },
  {
    protection: 'publish_fence',
    from: "a former owner's publish arrives after its id was forgotten",
    breaks: 'effect_repeated',
    options: { replicas: 2, started: 1, partitions: 1, release: 'current' },
    happen: publishTooLate,
  },
  {
    protection: 'last_seq',
    from: 'a commit breaks off after the profiles and before the position',
    breaks: 'profile_equal',
    options: { replicas: 1 },
    happen: breakCommitOff,
  },
  {
    protection: 'anchor_check',
    from: 'an older store of NATS is restored and grows past its old end',
    breaks: 'halt_missing',
    options: { patienceMs: 6_000 },
    happen: async run => {
      await run.publish(1_000)
      await run.still()
      await losses.find(({ reasons }) => reasons.includes('anchor_mismatch'))!.inject(run)
      await run.acceptLoss()
      await run.still()
    },
  },
  {
    protection: 'strict_redis',
    from: 'a connection to Redis is forgotten on the way and never answers again',
    breaks: 'not_recovered',
    options: { replicas: 1 },
    happen: async run => {
      await run.publish(500)
      run.rig.members[0]!.links.redis.forget()
      await run.publish(500)
      await run.still()
    },
  },
  {
    protection: 'pinned_definition',
    from: 'Redis is brought back to before a change of the definition',
    breaks: 'halt_missing',
    options: { patienceMs: 6_000 },
    happen: async run => {
      const later = await rollBackDefinition(run)
      await bringBack(run.rig, later)
      await run.still()
    },
  },
]

async function commitTooLate(run: Directed): Promise<void> {
  const [former, next] = run.rig.members as readonly [Member, Member]
  await run.publish(500)
  await run.still()
  const late = former.links.redis.hold(isCommit)
  await run.publish(500)
  await late.caught
  former.replica.pause()
  // Of any kind: already the note that it tries the events again is a commit.
  const first = next.links.redis.hold(bytes => ['eval', '}:o', '}:t'].every(part => bytes.includes(part)))
  await next.replica.start()
  await first.caught
  const watch = new OwnerWatch(run.violations)
  watch.look(await run.rig.metas())
  late.release()
  former.replica.resume()
  await untilNoOwner(former, async () => {
    watch.look(await run.rig.metas())
    return !run.violations.isEmpty
  })
  await former.replica.kill()
  first.release()
  await run.still()
}

async function publishTooLate(run: Directed): Promise<void> {
  const [former, next] = run.rig.members as readonly [Member, Member]
  const manager = await run.rig.connection.jetstreamManager({ checkAPI: false })
  const windowMs = 500
  // Before there is an id: 2.15 may go on forgetting by the former window as long as it remembers any.
  await manager.streams.update('TRIGGERS', { duplicate_window: windowMs * 1e6 })
  await run.publish(500)
  await run.still()
  const late = former.links.nats.hold(bytes => bytes.includes(' triggers.') || bytes.includes('PUB triggers.'))
  await run.publish(500)
  await late.caught
  former.replica.pause()
  await next.replica.start()
  await run.still()
  await eventually('every id is forgotten', async () => {
    const { state } = await manager.streams.info('TRIGGERS')
    return Date.now() > Date.parse(state.last_ts) + 2 * windowMs
  })
  const { state: before } = await manager.streams.info('TRIGGERS')
  late.release()
  former.replica.resume()
  await untilNoOwner(former, async () => {
    const { state } = await manager.streams.info('TRIGGERS')
    return state.last_seq > before.last_seq
  })
  await former.replica.kill()
  await run.still()
}

/** Resolves when the replica stands by, or when what it had on its way has done its harm. */
async function untilNoOwner({ replica }: Member, isHarmed: () => Promise<boolean>): Promise<void> {
  await eventually(
    'the former owner has learned that it is none',
    async () => {
      const [sight] = (await replica.partitions()) ?? []
      return (sight !== undefined && sight.state !== 'running') || (await isHarmed())
    },
    { everyMs: 5 },
  )
}

/** Everything that the script writes before the memory of `dedupe` and the meta is in, those two are not. */
async function breakCommitOff(run: Directed): Promise<void> {
  const { client, numbers, replicas } = run.rig
  const [replica] = replicas
  await run.publish(1_000)
  await run.still()
  const unwritten = async (): Promise<string[]> =>
    (await Promise.all(numbers.map(p => client.keys(`mr:{chaos:${p}}:[dm]*`)))).flat()
  const before = new Map<string, Buffer>()
  for (const key of await unwritten()) before.set(key, (await client.dumpBuffer(key))!)
  await run.publish(500)
  await run.still()
  await replica!.kill()
  await client.del(await unwritten())
  for (const [key, bytes] of before) await client.restore(key, 0, bytes)
  await replica!.start()
  await run.still()
}
