/** Makes a test the owner of a partition, whoever owned it before. */
import type { PartitionMeta, ProfileStore } from '../../engine/index.js'

/** The token is `<epoch>:<id>`. */
export async function takeOver(
  store: ProfileStore,
  partition: number,
  id: string,
  stateId: string,
  replica = `replica-of-${id}`,
): Promise<PartitionMeta> {
  const expected = (await store.readMeta(partition))?.token ?? ''
  const meta = await store.acquire(partition, { replica, id, stateId, expected })
  if (meta === undefined) throw new Error(`partition ${partition} was taken over by somebody else`)
  return meta
}
