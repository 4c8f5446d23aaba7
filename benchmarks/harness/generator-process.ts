/**
 * The load generator: sends prepared messages by schedule, whether or not earlier ones are through, and counts every
 * acknowledgement. A process of its own, so that the load neither waits for what it measures nor takes its processor time
 * unseen. What a timer's tick owes goes out in one write.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../engine/clock.js'
import { LatencyHistogram } from './latency-histogram.js'
import { ackSubject, type Begun, type Play, type Played } from './load.js'
import { AckReader, greeting, pong } from './wire.js'

const silenceMs = 10_000

class Generator {
  #isGreeted = () => {}
  /** Resolves when the server knows where acknowledgements go. */
  readonly ready = new Promise<void>(resolve => (this.#isGreeted = resolve))
  readonly #acks = new AckReader(what => {
    if (what === 'PONG') this.#isGreeted()
    else this.#socket.write(pong)
  })
  readonly #socket: Socket

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.#socket.on('data', chunk => this.#acks.feed(chunk))
    this.#socket.write(greeting(ackSubject))
  }

  async play({ bytesFile, endsFile, startAtMs, rate, skip }: Play): Promise<Played> {
    const bytes = readFileSync(bytesFile)
    const file = readFileSync(endsFile)
    const ends = new Uint32Array(file.buffer, file.byteOffset, file.length / Uint32Array.BYTES_PER_ELEMENT)
    const before = this.#acks.acknowledged
    const lag = new LatencyHistogram()
    await sleep(Math.max(0, startAtMs - systemClock.wallMs()))
    const startedAt = performance.now()
    tell({ kind: 'begun', startedAtMs: systemClock.wallMs() })
    for (let sent = 0; sent < ends.length && this.#acks.failure === undefined;) {
      const elapsedMs = performance.now() - startedAt
      const due = Math.min(ends.length, Math.floor((elapsedMs * rate) / 1000) + 1)
      if (due > sent) this.#socket.write(bytes.subarray(sent === 0 ? 0 : ends[sent - 1], ends[due - 1]))
      for (; sent < due; sent++) if (sent >= skip) lag.record(elapsedMs - (sent * 1000) / rate)
      await sleep(1)
    }
    await this.#allAcknowledged(before + ends.length)
    return { kind: 'played', failure: this.#acks.failure, lag: lag.percentiles() }
  }

  async #allAcknowledged(count: number): Promise<void> {
    let [seen, seenAt] = [0, performance.now()]
    while (this.#acks.acknowledged < count && this.#acks.failure === undefined) {
      if (this.#acks.acknowledged > seen) [seen, seenAt] = [this.#acks.acknowledged, performance.now()]
      if (performance.now() - seenAt > silenceMs) {
        this.#acks.failure = `${count - this.#acks.acknowledged} messages are not acknowledged`
      }
      await sleep(5)
    }
  }
}

function tell(what: Begun | Played): void {
  process.send!(what)
}

// Whoever started it has gone.
process.once('disconnect', () => process.exit(0))
const generator = new Generator(Number(process.argv[2]))
await generator.ready
process.send!({ kind: 'ready' })
for (;;) {
  const [play] = (await once(process, 'message')) as [Play]
  tell(await generator.play(play))
}
