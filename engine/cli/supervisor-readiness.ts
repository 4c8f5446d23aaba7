/** What several replicas say about themselves, put together: ready when every partition runs somewhere. */
import type { PartitionReadiness } from '../admin/admin.js'
import { weakest, type Fence } from '../nats/fence.js'

/** `/readyz` of one replica. */
export interface ReplicaReadiness {
  /** Its name; absent while it starts. */
  readonly replica?: string
  readonly ready: boolean
  readonly publishFence?: Fence
  readonly nats: 'connected' | 'disconnected'
  readonly redis: 'connected' | 'disconnected'
  readonly partitions: readonly PartitionReadiness[]
}

export interface AskedReplica {
  readonly name: string
  /** `undefined`: it did not answer. */
  readonly answer: ReplicaReadiness | undefined
}

export interface MergedReadiness {
  readonly ready: boolean
  /** The weakest of all that answer. */
  readonly publishFence?: Fence | undefined
  readonly nats: 'connected' | 'disconnected'
  readonly redis: 'connected' | 'disconnected'
  readonly halts: readonly PartitionReadiness[]
  readonly replicas: readonly object[]
  readonly partitions: readonly PartitionReadiness[]
}

/** A connection counts when all that answer have it. A replica elsewhere is believed when one of ours sees it as an owner. */
export function mergeReadiness(asked: readonly AskedReplica[], partitionCount: number): MergedReadiness {
  const answers = asked.flatMap(({ answer }) => (answer === undefined ? [] : [answer]))
  const fences = answers.flatMap(({ publishFence }) => publishFence ?? [])
  // One that is just starting has no connections yet, and may not be needed.
  const started = answers.filter(({ replica }) => replica !== undefined)
  const ours = new Set(asked.map(({ name }) => name))
  const partitions = Array.from({ length: partitionCount }, (_, partition) => standing(answers, partition))
  const all = (peer: 'nats' | 'redis') =>
    started.length > 0 && started.every(answer => answer[peer] === 'connected') ? 'connected' : 'disconnected'
  return {
    // As in each of them: who has no connection to NATS runs nothing.
    ready:
      all('nats') === 'connected' &&
      partitions.every(({ state, owner = '' }) => {
        // Who is ours and owns it, but does not say so, is dead or not there yet.
        return state === 'running' || (state === 'standby' && owner !== '' && !ours.has(owner))
      }),
    publishFence: fences.length === 0 ? undefined : weakest(fences),
    nats: all('nats'),
    redis: all('redis'),
    halts: partitions.filter(({ state }) => state === 'halted'),
    replicas: asked.map(({ name, answer }) => ({
      replica: name,
      answers: answer !== undefined,
      nats: answer?.nats,
      redis: answer?.redis,
      owned: answer?.partitions.filter(({ state }) => state !== 'standby').map(({ partition }) => partition),
    })),
    partitions,
  }
}

/** As the replica tells it that has the most to do with the partition. */
function standing(answers: readonly ReplicaReadiness[], partition: number): PartitionReadiness {
  const views = answers.flatMap(({ partitions }) => partitions.filter(view => view.partition === partition))
  const ranks = ['running', 'halted', 'attaching', 'stopped', 'standby']
  const rank = ({ state, owner = '' }: PartitionReadiness) => ranks.indexOf(state) + (owner === '' ? 0.5 : 0)
  return views.sort((a, b) => rank(a) - rank(b))[0] ?? { partition, state: 'standby', owner: '' }
}
