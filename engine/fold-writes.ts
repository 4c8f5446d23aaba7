/** What the commit of a fold writes. Encodes at once, because the next fold will change the profiles. */
import type { Attached } from './attach-partition.js'
import type { Writes } from './committer.js'
import type { EngineContext } from './context.js'
import type { Fold } from './fold.js'
import { anchorOf } from './nats/streams.js'
import { encodeEntry } from './outbox-entry.js'
import type { MetaUpdate } from './store.js'

export function writesOf(
  { model }: Pick<EngineContext, 'model'>,
  { meta: { sequenceOffset }, memory, hashes }: Pick<Attached, 'meta' | 'memory' | 'hashes'>,
  fold: Fold,
): Omit<Writes, 'trim'> {
  const { position, lastSeq, now, effects } = memory
  const meta: MetaUpdate = { position, lastSeq, now, ordinal: effects.ordinal }
  const { last, lastBrokerMs } = fold
  const anchor =
    last === undefined
      ? {}
      : { anchor: anchorOf(last.seq - sequenceOffset, Math.floor(lastBrokerMs), last.origin.data) }
  const profiles = []
  for (const state of fold.changed) {
    profiles.push({ key: state.key, bytes: model.isEmpty(state) ? undefined : model.encode(state) })
  }
  return {
    meta: { ...meta, ...anchor },
    profiles,
    profileTtlMs: model.ttlMs,
    timers: [...fold.rearmed].map(({ key, dueAt }) => ({ key, dueAt })),
    memory: hashes.flatMap(stage => stage?.drain(position) ?? []),
    outbox: fold.entries.map(encodeEntry),
  }
}
