/** The number of partitions is for ever: with another one keys move to other partitions, away from their profiles. */
import { MillraceError } from '../errors.js'
import type { ProfileStore } from '../store.js'

/** Throws `pipeline_invalid` when the store holds partitions of a pipeline that had another number of them. */
export async function requireCount(store: Pick<ProfileStore, 'readMeta'>, partitions: number): Promise<void> {
  const metas = await Promise.all(Array.from({ length: partitions }, (_, partition) => store.readMeta(partition)))
  const stored = metas.find(meta => meta !== undefined && meta.partitions !== 0 && meta.partitions !== partitions)
  if (stored === undefined) return
  throw new MillraceError(
    'pipeline_invalid',
    `partitions must stay what they were when the first event came, ${stored.partitions}, got ${partitions}: keys would lose their profiles`,
  )
}
