/** One connection through a proxy: two directions, each with its own conditions. */
import { connect, type Socket } from 'node:net'

export interface DirectionConditions {
  /** False: nothing is taken from the sender, whose system keeps it until it may go on. */
  readonly isOpen: boolean
  readonly delayMs: number
  readonly bytesPerSecond: number
}

export interface Conditions {
  readonly toServer: DirectionConditions
  readonly toClient: DirectionConditions
}

export interface LinkHooks {
  /** Asked about each piece from the client; what it gives is told how to let the piece go on. */
  readonly toServer: (bytes: Buffer) => ((release: () => void) => void) | undefined
  readonly toClient: (bytes: Buffer) => Buffer
  readonly closed: () => void
}

/** A direction with this much on its way takes no more from the sender. */
const mostQueuedBytes = 1 << 20

/** Takes pieces from one socket and gives them to another when it is time, in order. */
class Direction {
  #conditions: DirectionConditions = { isOpen: true, delayMs: 0, bytesPerSecond: Infinity }
  #queue: { readonly bytes: Buffer; readonly notBefore: number }[] = []
  #queuedBytes = 0
  #freeAt = 0
  #isHeld = false
  #timer: NodeJS.Timeout | undefined

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly drained: () => void,
  ) {
    to.on('drain', () => this.#advance())
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0 && !this.#isHeld
  }

  apply(conditions: DirectionConditions): void {
    this.#conditions = conditions
    this.#advance()
  }

  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    this.#advance()
  }

  take(bytes: Buffer): void {
    const { delayMs } = this.#conditions
    this.#queue.push({ bytes, notBefore: performance.now() + delayMs })
    this.#queuedBytes += bytes.length
    this.#advance()
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#queue = []
  }

  #advance(): void {
    clearTimeout(this.#timer)
    while (this.#queue.length > 0 && this.#conditions.isOpen && !this.#isHeld && !this.to.writableNeedDrain) {
      const { bytes, notBefore } = this.#queue[0]!
      const waitMs = Math.max(notBefore, this.#freeAt) - performance.now()
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#advance(), waitMs)
        break
      }
      this.#queue.shift()
      this.#queuedBytes -= bytes.length
      this.#freeAt = performance.now() + (1_000 * bytes.length) / this.#conditions.bytesPerSecond
      this.to.write(bytes)
    }
    if (!this.#conditions.isOpen || this.#queuedBytes > mostQueuedBytes || this.to.writableNeedDrain) this.from.pause()
    else this.from.resume()
    if (this.isEmpty) this.drained()
  }
}

export class ProxyLink {
  readonly #target: Socket
  readonly #toServer: Direction
  readonly #toClient: Direction
  #isClientGone = false

  constructor(
    private readonly client: Socket,
    targetPort: number,
    hooks: LinkHooks,
  ) {
    const target = connect(targetPort, '127.0.0.1')
    this.#target = target
    // What was held back arrives although the client has closed; only then the server is told.
    this.#toServer = new Direction(client, target, () => {
      if (this.#isClientGone) target.destroySoon()
    })
    this.#toClient = new Direction(target, client, () => {})
    for (const socket of [client, target]) {
      socket.setNoDelay(true)
      socket.on('error', () => {}) // followed by `close`
    }
    client.on('data', bytes => {
      const claim = hooks.toServer(bytes)
      if (claim !== undefined) this.#toServer.hold()
      this.#toServer.take(bytes)
      claim?.(() => this.#toServer.release())
    })
    target.on('data', bytes => this.#toClient.take(hooks.toClient(bytes)))
    client.on('close', () => {
      this.#isClientGone = true
      if (this.#toServer.isEmpty) target.destroySoon()
    })
    target.on('close', () => {
      this.#toServer.end()
      this.#toClient.end()
      client.destroy()
      hooks.closed()
    })
  }

  apply({ toServer, toClient }: Conditions): void {
    this.#toServer.apply(toServer)
    this.#toClient.apply(toClient)
  }

  /** Both sides see a reset. */
  reset(): void {
    for (const socket of [this.client, this.#target]) {
      // One that is being shut down cannot be reset any more, and Node would leave its handle open for ever.
      if (socket.writableEnded) socket.destroy()
      else socket.resetAndDestroy()
    }
  }
}
