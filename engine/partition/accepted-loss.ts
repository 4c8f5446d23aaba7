/** How a partition goes on after a person has accepted that something is gone, and how its positions count from then on. */
import type { ErrorCode } from '../errors.js'
import type { LedgerEntry, StreamFacts } from '../nats/streams.js'
import type { MetaUpdate, PartitionMeta } from '../store.js'

/**
 * What to add to the stream's sequences. In a stream that was read before, the same as then: its effects keep their coordinates
 * and are recognized. In another one, so much that every coordinate lies after all that were used, or they would pass for published.
 */
export function offsetOf(facts: StreamFacts, ledger: LedgerEntry | undefined, usedSeq: number): number {
  if (ledger?.streamCreated === facts.created) return ledger.sequenceOffset
  return usedSeq - (facts.firstSeq - 1)
}

/** What the first commit changes for that. Logical positions never fall. */
export function acceptLoss(
  reason: ErrorCode,
  meta: PartitionMeta,
  facts: StreamFacts,
  ledger: LedgerEntry | undefined,
  publishedSeq: number,
): MetaUpdate {
  const recorded = recordedOffset(meta, ledger)
  const offset = recorded === undefined ? {} : { sequenceOffset: recorded }
  switch (reason) {
    case 'stream_recreated': {
      // From the first event of the new stream.
      const sequenceOffset = offsetOf(facts, ledger, Math.max(meta.position, publishedSeq))
      const position = facts.firstSeq - 1 + sequenceOffset
      return { position, sequenceOffset, streamCreated: facts.created, anchor: '' }
    }
    case 'stream_truncated': {
      const isBehind = meta.position - meta.sequenceOffset <= facts.lastSeq
      if (recorded !== undefined && isBehind) return onRecord(meta, recorded)
      // Accepted before, and Redis has forgotten it.
      if (recorded !== undefined && meta.position - recorded <= facts.lastSeq) return { ...offset, anchor: '' }
      // From the first event after the truncation, behind all coordinates that were used: new effects would pass for published.
      const position = Math.max(meta.position, publishedSeq)
      return { position, sequenceOffset: position - facts.lastSeq, anchor: '' }
    }
    case 'events_lost':
      return { position: facts.firstSeq - 1 + (recorded ?? meta.sequenceOffset), ...offset, anchor: '' }
    case 'anchor_mismatch':
      // With an offset on record, other events have taken the place of those that were accepted as lost: it goes on where they begin.
      return { ...offset, anchor: '' }
    default:
      return { ...(recorded === undefined ? {} : onRecord(meta, recorded)), anchor: '' }
  }
}

/** The same event of the stream, as positions count since the accepted loss. */
function onRecord({ position, sequenceOffset }: PartitionMeta, recorded: number): MetaUpdate {
  return { position: position - sequenceOffset + recorded, sequenceOffset: recorded }
}

/** The offset of a loss that was accepted in this very stream, when Redis does not know of it. */
export function recordedOffset(meta: PartitionMeta, ledger: LedgerEntry | undefined): number | undefined {
  if (ledger === undefined || ledger.streamCreated !== meta.streamCreated) return undefined
  return ledger.sequenceOffset > meta.sequenceOffset ? ledger.sequenceOffset : undefined
}
