/** The reader of a session, and what it checks about the stream that it reads. */
import type { EngineContext } from '../context.js'
import { Reader, type ReaderOptions } from '../nats/reader.js'
import { rewindOf } from '../nats/rewind.js'
import type { StreamFacts } from '../nats/streams.js'
import type { PartitionMeta } from '../store.js'
import type { Attached } from './attach-partition.js'
import { checkStream } from './attach.js'

/** A reader that runs before there is anybody to take what arrives. */
export interface ReadAhead {
  readonly reader: Reader
  /** Something arrived, or the reader's `failure` was set. */
  wake: () => void
}

/** Starts behind the position. */
export function readAhead(context: EngineContext, partition: number, meta: PartitionMeta): ReadAhead {
  const { connection, streams, names, limits, pipeline, metrics, log, without } = context
  const stream = names.streams.events
  const filter = names.eventFilter(partition)
  const start = meta.position - meta.sequenceOffset
  const options: ReaderOptions = {
    stream,
    filter,
    name: `millrace-${pipeline.name}-${partition}`,
    maxEvents: limits.readAheadEvents,
    maxBytes: Math.max(limits.batchBytes, (connection.info?.max_payload ?? 0) + 65_536),
    sequenceOffset: meta.sequenceOffset,
    notBefore: meta.now,
    anchor: meta.anchor,
    verify: (streamSeq, anchor, notBefore) => verifyStream(context, meta, { streamSeq, anchor }, notBefore),
    isGapChecked: !without.has('gap_check'),
    lastStored: async () => (await streams.last(stream, filter))?.seq ?? 0,
    rewind: afterStreamSeq => rewindOf(connection, streams, stream, afterStreamSeq),
    wake: () => ahead.wake(),
    onRestart: (why: string) => {
      metrics.readerRestart()
      log.warn({ partition, why }, 'reader starts again')
    },
  }
  // Nobody waits yet; whoever comes looks first.
  const ahead: ReadAhead = { reader: new Reader(connection, streams.manager, options, start), wake: () => undefined }
  return ahead
}

/** The one that has been reading ahead, or a new one. `wake`: something arrived, or the reader's `failure` was set. */
export function openReader(context: EngineContext, attached: Attached, wake: () => void): Reader {
  const ahead = attached.ahead ?? readAhead(context, attached.partition, attached.meta)
  ahead.wake = wake
  return ahead.reader
}

/**
 * What the broker says about the stream, at `notBefore` (monotonic) or later. Throws when it is another stream by now, does not
 * hold what follows the event at `after`, or holds another event there.
 */
export async function verifyStream(
  { streams, names, without }: EngineContext,
  { sequenceOffset, streamCreated }: Attached['meta'],
  after: { readonly streamSeq: number; readonly anchor: string },
  notBefore: number,
): Promise<StreamFacts> {
  const end = { created: streamCreated, seq: after.streamSeq }
  const facts = streams.settledFacts(names.streams.events, end, notBefore)
  const position = after.streamSeq + sequenceOffset
  const known = { position, sequenceOffset, streamCreated, anchor: after.anchor }
  const problem = await checkStream({ streams, names, without }, known, facts)
  if (problem !== undefined) throw problem
  return facts
}
