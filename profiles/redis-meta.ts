/** The meta hash: field names in Redis, and text to value and back. */
import type { MetaUpdate, PartitionMeta } from '../engine/index.js'

const names: Record<keyof PartitionMeta, string> = {
  token: 'token',
  replica: 'replica',
  renewals: 'renewals',
  stateId: 'state_id',
  commitId: 'commit_id',
  position: 'position',
  lastSeq: 'last_seq',
  ordinal: 'ordinal',
  now: 'now',
  sequenceOffset: 'sequence_offset',
  streamCreated: 'stream_created',
  anchor: 'anchor',
  definition: 'definition',
  definitionFrom: 'definition_from',
  definitionChanges: 'definition_changes',
  accepted: 'accepted',
  partitions: 'partitions',
  phase: 'phase',
  trial: 'trial',
}

/** `undefined` when there is no meta. A field that was never written reads as 0 or empty. */
export function parseMeta(fields: Readonly<Record<string, string>>): PartitionMeta | undefined {
  const stateId = fields[names.stateId]
  if (stateId === undefined) return undefined
  const text = (name: keyof PartitionMeta): string => fields[names[name]] ?? ''
  const number = (name: keyof PartitionMeta): number => Number(fields[names[name]] ?? 0)
  return {
    token: text('token'),
    replica: text('replica'),
    renewals: number('renewals'),
    stateId,
    commitId: text('commitId'),
    position: number('position'),
    lastSeq: number('lastSeq'),
    ordinal: number('ordinal'),
    now: number('now'),
    sequenceOffset: number('sequenceOffset'),
    streamCreated: text('streamCreated'),
    anchor: text('anchor'),
    definition: text('definition'),
    definitionFrom: number('definitionFrom'),
    definitionChanges: number('definitionChanges'),
    accepted: text('accepted'),
    partitions: number('partitions'),
    phase: text('phase') as PartitionMeta['phase'],
    trial: text('trial'),
  }
}

/** Field, value, field, value ... of the given changes. */
export function metaFields(update: MetaUpdate): string[] {
  const fields: string[] = []
  for (const [name, value] of Object.entries(update)) fields.push(names[name as keyof MetaUpdate], String(value))
  return fields
}
