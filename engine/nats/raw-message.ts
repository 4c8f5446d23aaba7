/**
 * A received message before anything of it was turned into text or objects. Turning subject and reply into text costs more than
 * all that is done with them, for every event, so they are read as bytes. The client keeps them in two fields that its types do not name;
 * the integration tests hold it to that.
 */
import type { Msg } from 'nats'

export interface RawBytes {
  readonly _msg: {
    readonly subject: Uint8Array
    readonly reply?: Uint8Array
    /** Size of the headers, which come first in `_rdata`; -1 when there are none. */
    readonly hdr: number
  }
  /** Headers and payload as received; undefined when both are empty. */
  readonly _rdata?: Uint8Array
}

export type RawMessage = Msg & RawBytes

export const noBytes = new Uint8Array(0)
