/** What a session tells the metrics: once per batch, never per event. */
import type { EngineContext } from '../context.js'
import type { OutboxOptions } from '../outbox/outbox.js'
import { seldom } from '../seldom.js'
import type { CommitObserver } from './committer.js'
import type { Fold } from './fold.js'
import type { ProfileCache } from './profile-cache.js'

/** Of one partition: there may be a thousand, and each tries twice a second. */
const sayEveryMs = 10_000

type Told = Pick<EngineContext, 'metrics' | 'log' | 'names' | 'clock'>

export function sessionObserver(
  { metrics, log, names, clock }: Told,
  partition: number,
): CommitObserver & Pick<OutboxOptions, 'onPublished' | 'onFailure'> {
  const say = (sentence: string) => seldom(sayEveryMs, (error: Error) => log.warn({ partition, error }, sentence))
  const [sayCommit, sayRenewal, sayPublish] = [
    say('commit is tried again'),
    say('lease is renewed again'),
    say('publishing is tried again'),
  ]
  return {
    committed: durationMs => metrics.commitDuration.observe(durationMs),
    commitFailed: error => {
      metrics.commitRetry()
      sayCommit(error)
    },
    renewalFailed: error => {
      metrics.renewalRetry()
      sayRenewal(error)
    },
    onPublished: (entry, isDuplicate) => {
      metrics.published(names.streams[entry.lane], 1, isDuplicate ? 1 : 0)
      if (entry.lane === 'triggers' && entry.causedAtMs > 0) {
        metrics.brokerToTrigger.observe(clock.wallMs() - entry.causedAtMs)
      }
    },
    onFailure: sayPublish,
  }
}

/** After the commit of a fold. */
export function recordFold(
  { metrics, clock }: Told,
  partition: number,
  fold: Fold,
  profiles: Pick<ProfileCache, 'hits' | 'misses'>,
): void {
  const wall = clock.wallMs()
  for (const brokerMs of fold.appliedBrokerMs) metrics.brokerToProfile.observe(wall - brokerMs)
  for (const occurredAt of fold.appliedOccurredAt) metrics.eventToProfile.observe(wall - occurredAt)
  metrics.eventsIn(fold.received)
  metrics.eventsApplied(fold.applied)
  metrics.cache(profiles.hits, profiles.misses)
  profiles.hits = 0
  profiles.misses = 0
  if (fold.received > 0) metrics.batchEvents.observe(fold.received)
  const { triggers, suppressed, segments, failed, late, deadLetters } = fold.counts
  for (const [name, count] of triggers) metrics.triggered(name, count)
  for (const [name, count] of failed) metrics.segmentFailed(name, count)
  for (const [name, count] of late) metrics.late(name, count)
  for (const [what, count] of suppressed) metrics.suppressed(...pair(what), count)
  for (const [what, count] of deadLetters) metrics.deadLettered(...pair(what), count)
  for (const [what, count] of segments) {
    const [name, change] = pair(what)
    metrics.segmentChanged(name, change === 'entered' ? 'entered' : 'exited', count)
  }
  if (fold.last !== undefined) metrics.partition(partition, { lastEventAt: fold.lastBrokerMs })
}

function pair(what: string): [string, string] {
  const [first = '', second = ''] = what.split(' ')
  return [first, second]
}
