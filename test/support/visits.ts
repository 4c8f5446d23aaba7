/** A pipeline as small as one can be that still has everything an engine must get right. */
import { decodeJson, dedupe, events, pipeline, type Pipeline, type PipelineOptions } from '../../engine/millrace.js'
import { partitionOf } from '../../engine/nats/partitioning.js'
import type { TestEvent } from './broker.js'

export interface Visit {
  readonly id: string
  readonly user: string
  readonly n: number
  readonly note?: string
}

interface Visits {
  visit: Visit
  /** Says nothing but ends the wait for it. */
  goodbye: Visit
}

/** A note that no trait can digest. */
export const poison = 'poison'

export const visitPartitions = 4

export interface VisitOptions extends Partial<PipelineOptions> {
  /** How long after a visit `gone_quiet` fires without a goodbye. */
  readonly quietAfter?: string
}

/**
 * - `seen` fires at every visit, with its id;
 * - `regular` fires when the third visit comes;
 * - `gone_quiet` fires some time after the last visit;
 * - segment `active` from the second visit on.
 */
export function visits({ quietAfter = '1h', ...options }: VisitOptions = {}): Pipeline {
  const { profile, count, last, sum } = events<Visits>()
  const visitor = profile('visitor', {
    maxBytes: '2KB',
    traits: {
      visits: count('visit'),
      total: sum('visit', e => e.n),
      note: last('visit', e => {
        if (e.note === poison) throw new Error('indigestible')
        return e.note
      }),
    },
  })
  visitor.segment('active', p => p.visits >= 2)
  visitor.trigger('seen', { on: 'visit', emit: (_, e) => ({ id: e.id }) })
  visitor.trigger('regular', { when: p => p.visits >= 3, emit: p => ({ total: p.total }) })
  visitor.trigger('gone_quiet', { on: 'visit', after: quietAfter, unless: 'goodbye', emit: (_, e) => ({ id: e.id }) })
  return pipeline({
    name: 'visits',
    partitions: visitPartitions,
    stages: [decodeJson({ key: 'user' }), dedupe({ window: '1h' })],
    profile: visitor,
    ...options,
  })
}

let made = 0

/** A visit with an id of its own. */
export function visit(user: string, change: Partial<Visit> & { readonly type?: string } = {}): TestEvent {
  const { type = 'visit', ...fields } = change
  return { type, key: user, payload: { id: `visit-${++made}`, user, n: 1, ...fields } }
}

/** Id of an event made by `visit`. */
export function idOf({ payload }: TestEvent): string {
  return (payload as Visit).id
}

/** A user whose events belong to the partition. */
export function userOf(partition: number, partitions = visitPartitions): string {
  for (let i = 0; ; i++) if (partitionOf(`user-${i}`, partitions) === partition) return `user-${i}`
}
