/** Whether the owners of partitions give signs of life, judged as another replica would: by seeing their renewals move. */
import type { PartitionMeta, ProfileStore } from '../store.js'
import type { Services } from './services.js'

/** `none`: nobody owns the partition. `moving`: its owner renewed or committed just now. `still`: it did not, for `stillMs`. */
export interface LeaseSign {
  readonly lease: 'none' | 'moving' | 'still'
  readonly stillMs: number
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
  const startedAt = clock.monotonicMs()
  const first = await look()
  const signs: LeaseSign[] = first.map(meta => ({ lease: isOwned(meta) ? 'still' : 'none', stillMs: 0 }))
  while (signs.some(({ lease }) => lease === 'still') && !interrupted.aborted) {
    await sleep(lookEveryMs, interrupted)
    const now = await look()
    const stillMs = Math.round(clock.monotonicMs() - startedAt)
    signs.forEach(({ lease }, i) => {
      if (lease !== 'still') return
      const hasMoved = now[i]?.token !== first[i]?.token || now[i]?.renewals !== first[i]?.renewals
      signs[i] = hasMoved ? { lease: isOwned(now[i]) ? 'moving' : 'none', stillMs: 0 } : { lease, stillMs }
    })
    if (stillMs >= watchMs(ttlMs)) break
  }
  return signs
}

function isOwned(meta: PartitionMeta | undefined): boolean {
  return meta !== undefined && meta.token !== ''
}
