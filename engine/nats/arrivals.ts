/**
 * Events of one partition that have arrived and were not taken yet, in order. They are kept as numbers in typed arrays and as
 * bytes in chunks outside the heap: thousands wait at any time, and as objects the garbage collector would move each of them
 * twice before it is looked at, which cost a fifth of the engine's time.
 */
import { MsgHdrsImpl } from 'nats'
import { Event, type Origin } from '../event.js'
import { noBytes, type RawBytes } from './raw-message.js'

/** What arrived together. `brokerMs` keeps the fraction of a millisecond, which decisions must not see. */
export interface Batch {
  readonly events: Event[]
  readonly brokerMs: number[]
}

/** A stored subject, `events.<partition>.<source>.<type>`. */
interface Subject {
  readonly bytes: Uint8Array
  readonly text: string
  readonly source: string
  readonly type: string
}

/** Filled and worked off soon: a chunk that the collector has met twice stays until it collects the whole heap. */
const chunkBytes = 16_384
const initialCapacity = 128
/** Subjects come from producers; an endless variety must not fill the memory. */
const maxSubjects = 10_000

export class Arrivals {
  /** Held, with headers. */
  bytes = 0
  #first = 0
  #count = 0
  #capacity = initialCapacity
  #seqs = new Float64Array(initialCapacity)
  #receivedAt = new Float64Array(initialCapacity)
  #brokerMs = new Float64Array(initialCapacity)
  #starts = new Uint32Array(initialCapacity)
  #headerBytes = new Uint32Array(initialCapacity)
  #payloadBytes = new Uint32Array(initialCapacity)
  #subjects = new Array<Subject | undefined>(initialCapacity).fill(undefined)
  #chunks = new Array<Buffer | undefined>(initialCapacity).fill(undefined)
  /** Where the next event's bytes go. */
  #chunk: Buffer = Buffer.alloc(0)
  #used = 0
  readonly #known = new Map<number, Subject>()

  get count(): number {
    return this.#count
  }

  /** Logical sequence of the next event, Infinity when there is none. */
  get nextSeq(): number {
    return this.#count === 0 ? Infinity : this.#seqs[this.#first]!
  }

  /** Copies what it needs: the message may be forgotten. */
  push(
    seq: number,
    receivedAt: number,
    brokerMs: number,
    { _msg: { subject, hdr }, _rdata = noBytes }: RawBytes,
  ): void {
    if (this.#count === this.#capacity) this.#grow()
    const at = (this.#first + this.#count++) & (this.#capacity - 1)
    const headerBytes = Math.max(0, hdr)
    this.#seqs[at] = seq
    this.#receivedAt[at] = receivedAt
    this.#brokerMs[at] = brokerMs
    this.#headerBytes[at] = headerBytes
    this.#payloadBytes[at] = _rdata.length - headerBytes
    this.#subjects[at] = this.#subjectOf(subject)
    this.bytes += _rdata.length
    if (this.#used + _rdata.length > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, _rdata.length))
      this.#used = 0
    }
    this.#chunk.set(_rdata, this.#used)
    this.#chunks[at] = this.#chunk
    this.#starts[at] = this.#used
    this.#used += _rdata.length
  }

  /** Takes events up to either bound, one at least, none beyond the logical sequence `upToSeq`. */
  take(maxEvents: number, maxBytes: number, upToSeq: number): Batch {
    const events: Event[] = []
    const brokerMs: number[] = []
    const mask = this.#capacity - 1
    let bytes = 0
    while (events.length < this.#count && events.length < maxEvents && (bytes < maxBytes || events.length === 0)) {
      const at = (this.#first + events.length) & mask
      const seq = this.#seqs[at]!
      if (seq > upToSeq) break
      const { text, source, type } = this.#subjects[at]!
      const receivedAt = this.#receivedAt[at]!
      const start = this.#starts[at]!
      const origin = new Arrival(text, this.#chunks[at]!, start, this.#headerBytes[at]!, this.#payloadBytes[at]!)
      // A chunk lives as long as one of its events.
      this.#chunks[at] = undefined
      bytes += this.#headerBytes[at]! + this.#payloadBytes[at]!
      brokerMs.push(this.#brokerMs[at]!)
      events.push(new Event(seq, source, type, receivedAt, origin, undefined, '', undefined, receivedAt))
    }
    this.#first = (this.#first + events.length) & mask
    this.#count -= events.length
    this.bytes -= bytes
    return { events, brokerMs }
  }

  clear(): void {
    this.#chunks.fill(undefined)
    this.#chunk = Buffer.alloc(0)
    this.#used = this.#first = this.#count = this.bytes = 0
  }

  #grow(): void {
    const order = Array.from({ length: this.#count }, (_, i) => (this.#first + i) & (this.#capacity - 1))
    const capacity = this.#capacity * 2
    const moved = <Column extends Float64Array | Uint32Array>(from: Column, to: Column) => {
      order.forEach((at, i) => (to[i] = from[at]!))
      return to
    }
    this.#seqs = moved(this.#seqs, new Float64Array(capacity))
    this.#receivedAt = moved(this.#receivedAt, new Float64Array(capacity))
    this.#brokerMs = moved(this.#brokerMs, new Float64Array(capacity))
    this.#starts = moved(this.#starts, new Uint32Array(capacity))
    this.#headerBytes = moved(this.#headerBytes, new Uint32Array(capacity))
    this.#payloadBytes = moved(this.#payloadBytes, new Uint32Array(capacity))
    this.#subjects = Array.from({ length: capacity }, (_, i) => this.#subjects[order[i] ?? -1])
    this.#chunks = Array.from({ length: capacity }, (_, i) => this.#chunks[order[i] ?? -1])
    this.#capacity = capacity
    this.#first = 0
  }

  #subjectOf(bytes: Uint8Array): Subject {
    let hash = 0
    for (let i = 0; i < bytes.length; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0
    const known = this.#known.get(hash)
    if (known !== undefined && isEqual(known.bytes, bytes)) return known
    const text = Buffer.from(bytes).toString()
    const [, , source = '', type = ''] = text.split('.')
    const subject = { bytes: Uint8Array.from(bytes), text, source, type }
    if (this.#known.size >= maxSubjects) this.#known.clear()
    this.#known.set(hash, subject)
    return subject
  }
}

/** Payload and headers are only looked at when somebody asks for them. */
class Arrival implements Origin {
  constructor(
    readonly subject: string,
    private readonly chunk: Buffer,
    private readonly start: number,
    private readonly headerBytes: number,
    private readonly payloadBytes: number,
  ) {}

  get data(): Buffer {
    const start = this.start + this.headerBytes
    return this.chunk.subarray(start, start + this.payloadBytes)
  }

  /** Throws when the client refuses to decode them. */
  get headers(): Iterable<[string, string[]]> | undefined {
    if (this.headerBytes === 0) return undefined
    return MsgHdrsImpl.decode(this.chunk.subarray(this.start, this.start + this.headerBytes))
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
