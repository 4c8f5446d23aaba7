/** The meta hash: field names in Redis, and text to value and back. */
import type { MetaUpdate, PartitionMeta } from '../engine/index.js'

const numbers = {
  renewals: 'renewals',
  position: 'position',
  lastSeq: 'last_seq',
  ordinal: 'ordinal',
  now: 'now',
  sequenceOffset: 'sequence_offset',
  definitionFrom: 'definition_from',
} as const

const texts = {
  token: 'token',
  stateId: 'state_id',
  commitId: 'commit_id',
  streamCreated: 'stream_created',
  anchor: 'anchor',
  definition: 'definition',
  accepted: 'accepted',
} as const

/** `undefined` when there is no meta. A field that was never written reads as 0 or empty. */
export function parseMeta(fields: Readonly<Record<string, string>>): PartitionMeta | undefined {
  if (fields[texts.stateId] === undefined) return undefined
  const meta: Record<string, string | number> = {}
  for (const [name, field] of Object.entries(numbers)) meta[name] = Number(fields[field] ?? 0)
  for (const [name, field] of Object.entries(texts)) meta[name] = fields[field] ?? ''
  return meta as unknown as PartitionMeta
}

/** Field, value, field, value ... of the given changes. */
export function metaFields(update: MetaUpdate): string[] {
  const fields: string[] = []
  for (const [name, value] of Object.entries(update)) {
    const field = numbers[name as keyof typeof numbers] ?? texts[name as keyof typeof texts]
    fields.push(field, String(value))
  }
  return fields
}
