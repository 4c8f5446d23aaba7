/** Stored messages for people: the newest of a stream, or one. Not for the data path. */
import type { StoredMsg } from 'nats'
import { isNotFound, natsError } from './connection.js'
import type { Streams } from './streams.js'

export interface StoredMessage {
  readonly seq: number
  readonly subject: string
  readonly storedAt: Date
  readonly headers: readonly (readonly [name: string, values: readonly string[]])[]
  readonly header: (name: string) => string
  readonly data: Uint8Array
}

export async function storedMessage(streams: Streams, stream: string, seq: number): Promise<StoredMessage | undefined> {
  try {
    return shown(await streams.manager.streams.getMessage(stream, { seq }))
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw natsError(error, `cannot read stream "${stream}"`)
  }
}

/** From the newest back; stops after `maxScanned` sequences. */
export async function* newestFirst(
  streams: Streams,
  stream: string,
  maxScanned: number,
): AsyncGenerator<StoredMessage> {
  const { firstSeq, lastSeq } = await streams.freshFacts(stream)
  for (let seq = lastSeq; seq >= firstSeq && lastSeq - seq < maxScanned; seq--) {
    const message = await storedMessage(streams, stream, seq)
    if (message !== undefined) yield message
  }
}

function shown(message: StoredMsg): StoredMessage {
  const { header } = message
  return {
    seq: message.seq,
    subject: message.subject,
    storedAt: message.time,
    headers: [...(header ?? [])],
    header: name => header?.get(name) ?? '',
    data: message.data,
  }
}
