/** Whether the owners of partitions give signs of life, judged as another replica would: by seeing their renewals move. */
import { haltsIn } from '../replicas/sign.js'
import type { PartitionMeta, ProfileStore } from '../store.js'
import type { Services } from './services.js'

/** `none`: nobody owns the partition. `moving`: its owner renewed or committed while it was watched. `still`: it did not. */
export interface LeaseSign {
  readonly lease: 'none' | 'moving' | 'still'
  /**
   * Since the last renewal, as of the end of the watch. `moving`: at most so long, because it was seen by a look and came after
   * the one before. `still`: at least so long. 0 for `none`.
   */
  readonly ageMs: number
}

const lookEveryMs = 250
/** Half a lease and a look: an owner that lives has renewed by then. But a lease may be longer than anybody wants to watch. */
const watchMs = (ttlMs: number) => Math.min(ttlMs / 2 + lookEveryMs, 3_000)

/**
 * In the order of the partitions. Takes a second or two while all owners live, because an idle one renews at a third of its
 * lease, and three seconds at most.
 */
export async function watchLeases(
  store: Pick<ProfileStore, 'readMeta'>,
  partitions: readonly number[],
  ttlMs: number,
  { clock, sleep, interrupted }: Pick<Services, 'clock' | 'sleep' | 'interrupted'>,
): Promise<readonly LeaseSign[]> {
  const look = () => Promise.all(partitions.map(partition => store.readMeta(partition)))
  let lookedAt = clock.monotonicMs()
  let seen = await look()
  const sinceAt = clock.monotonicMs()
  /** Monotonic times after which the last renewals that were seen came. */
  const renewedAfter = seen.map((): number | undefined => undefined)
  const isStill = (i: number) => isOwned(seen[i]) && renewedAfter[i] === undefined
  while (seen.some((_, i) => isStill(i)) && lookedAt - sinceAt < watchMs(ttlMs) && !interrupted.aborted) {
    await sleep(lookEveryMs, interrupted)
    const beforeAt = lookedAt
    lookedAt = clock.monotonicMs()
    const now = await look()
    now.forEach((meta, i) => {
      if (meta?.token !== seen[i]?.token || meta?.renewals !== seen[i]?.renewals) renewedAfter[i] = beforeAt
    })
    seen = now
  }
  const endedAt = clock.monotonicMs()
  const stillMs = Math.max(0, Math.round(lookedAt - sinceAt))
  return seen.map((meta, i) => {
    if (!isOwned(meta)) return { lease: 'none', ageMs: 0 }
    const afterAt = renewedAfter[i]
    return afterAt === undefined
      ? { lease: 'still', ageMs: stillMs }
      : { lease: 'moving', ageMs: Math.round(endedAt - afterAt) }
  })
}

/**
 * Why its owner has halted the partition, by the signs of all replicas. That of one which died stays for a while, so it counts only
 * where somebody under its name keeps renewing.
 */
export function reportedHalt(
  members: ReadonlyMap<string, string>,
  { partition, meta }: { readonly partition: number; readonly meta: PartitionMeta | undefined },
  { lease }: LeaseSign,
): string | undefined {
  const sign = meta !== undefined && lease === 'moving' ? members.get(meta.replica) : undefined
  return sign === undefined ? undefined : haltsIn(sign).get(partition)
}

function isOwned(meta: PartitionMeta | undefined): boolean {
  return meta !== undefined && meta.token !== ''
}
