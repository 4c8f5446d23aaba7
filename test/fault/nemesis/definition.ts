/** No fault but a change that must be as safe: the pipeline goes on with another edition of its definition. */
import { untilAttached } from '../rig/stillness.js'
import { nothingToHeal, type Fault } from './fault.js'

export const definitionFaults: readonly Fault[] = [
  {
    name: 'definition_change',
    grips: ['members', 'redis'],
    lastsMs: [0, 0],
    refusal: rig => (rig.edition === 2 ? 'the definition has changed already' : undefined),
    inject: async ({ rig }) => {
      await Promise.all(rig.replicas.map(replica => replica.stop()))
      await rig.change(2)
      await rig.startReplicas()
      // Before that, a copy of Redis would be one from before the change.
      await untilAttached(rig)
      return nothingToHeal
    },
  },
]
