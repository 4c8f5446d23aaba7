/** Redis brought back behind a decision that must not be taken twice. */
import type { Directed } from '../run/directed.js'
import { bringBack, copyFiles } from './redis.js'

/** The definition changes, and Redis is brought back to before that: halts. Gives a copy with which it goes on. */
export async function rollBackDefinition(run: Directed): Promise<string> {
  await run.publish(1_000)
  const earlier = await copyFiles(run.rig, 'earlier')
  await run.publish(1_000)
  await run.still()
  await Promise.all(run.rig.replicas.map(replica => replica.stop()))
  await run.rig.change(2)
  await run.rig.startReplicas()
  await run.publish(1_000)
  await run.still()
  const later = await copyFiles(run.rig, 'later')
  await bringBack(run.rig, earlier)
  await run.halted('definition_rolled_back')
  return later
}
