/**
 * Every stream and subject in one place. A stream's subjects start with its name in lower case; published subjects end
 * with the partition, so that subscribers filter by name and attach finds a partition's last message by wildcard.
 */

export interface StreamNames {
  readonly events: string
  readonly triggers: string
  readonly suppressed: string
  readonly segments: string
  readonly deadletters: string
}

export const defaultStreams: StreamNames = {
  events: 'EVENTS',
  triggers: 'TRIGGERS',
  suppressed: 'SUPPRESSED',
  segments: 'SEGMENTS',
  deadletters: 'DEADLETTERS',
}

/** What the outbox publishes: each lane is a stream, ordered per partition. The index is stored in outbox entries. */
export const lanes = ['triggers', 'suppressed', 'segments', 'deadletters'] as const
export type Lane = (typeof lanes)[number]

/** Tokens between the root and the partition: trigger; trigger and reason; segment and change; stage and reason. */
const laneTokens: Record<Lane, number> = { triggers: 1, suppressed: 2, segments: 2, deadletters: 2 }

/** Where NATS keeps its own record of each partition's state. */
export const ledgerStream = 'MILLRACE'

export class Names {
  constructor(readonly streams: StreamNames = defaultStreams) {}

  /** Subject root of a stream. */
  root(stream: keyof StreamNames): string {
    return this.streams[stream].toLowerCase()
  }

  /** What producers publish to and what is stored: both have four tokens. */
  eventSubjects(): string {
    return `${this.root('events')}.*.*.*`
  }

  /** Destination of the mapping from producer subject to stored subject. */
  eventMapping(partitions: number): string {
    return `${this.root('events')}.{{partition(${partitions},3)}}.{{wildcard(1)}}.{{wildcard(2)}}`
  }

  eventFilter(partition: number): string {
    return `${this.root('events')}.${partition}.*.*`
  }

  laneSubjects(lane: Lane): string {
    return `${this.root(lane)}${'.*'.repeat(laneTokens[lane])}.*`
  }

  laneFilter(lane: Lane, partition: number): string {
    return `${this.root(lane)}${'.*'.repeat(laneTokens[lane])}.${partition}`
  }

  /** Outside of every stream. */
  leaseHints(state: string): string {
    return `${ledgerStream.toLowerCase()}-leases.${state}`
  }

  ledgerSubject(state: string, partition: number): string {
    return `${ledgerStream.toLowerCase()}.${state}.${partition}`
  }
}
