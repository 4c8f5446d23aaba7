/** A TCP proxy whose network can fail on demand, between a client under test and a real server. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { ProxyLink, type Conditions } from './proxy-link.js'
import type { TestScope } from './servers.js'

/**
 * - `pass`: bytes go both ways.
 * - `refuse`: nobody listens; connections that exist are reset.
 * - `black_hole`: connections stay open and new ones are accepted, but no byte goes through, as when packets are dropped.
 * - `drop_to_server`, `drop_to_client`: the same in one direction.
 * - `delayMs`: every byte arrives that much later, both ways.
 * - `bytesPerSecond`: no more than that goes through a connection, each way.
 */
export type ProxyMode =
  | 'pass'
  | 'refuse'
  | 'black_hole'
  | 'drop_to_server'
  | 'drop_to_client'
  | { readonly delayMs: number }
  | { readonly bytesPerSecond: number }

/** A piece of a request on its way that does not arrive before it is released. */
export interface Held {
  /** Resolves when there is something to hold. */
  readonly caught: Promise<void>
  /** Delivers it, and all that came behind it, even when the client has given up and closed. */
  release(): void
}

export class TcpProxy {
  readonly #links = new Set<ProxyLink>()
  /** Links that nobody knows any more; both sides believe them open. */
  readonly #forgotten = new Set<ProxyLink>()
  #server: Server | undefined
  #port = 0
  #mode: ProxyMode = 'pass'
  #filter: (() => (bytes: Buffer) => Buffer) | undefined
  #wanted: { readonly isWanted: (bytes: Buffer) => boolean; readonly caught: (release: () => void) => void } | undefined

  constructor(private readonly targetPort: number) {}

  /** Stays the same in every mode. */
  get port(): number {
    return this.#port
  }

  /** Client connections that are open now. */
  get connections(): number {
    return this.#links.size
  }

  get mode(): ProxyMode {
    return this.#mode
  }

  /** Resolves when the mode is in force for existing and for new connections. */
  async set(mode: ProxyMode): Promise<void> {
    this.#mode = mode
    if (mode === 'refuse') {
      const closed = this.#server === undefined ? Promise.resolve() : once(this.#server, 'close')
      this.#server?.close()
      this.#server = undefined
      this.cut()
      this.#reset(this.#forgotten)
      await closed
      return
    }
    for (const link of this.#links) link.apply(conditionsOf(mode))
    if (this.#server === undefined) await this.#listen()
  }

  /** Resets every open connection; new ones are served as the mode says. */
  cut(): void {
    this.#reset(this.#links)
  }

  /** Open connections never carry a byte again and are never closed; new ones are served as the mode says. */
  forget(): void {
    for (const link of this.#links) {
      link.apply(conditionsOf('black_hole'))
      this.#forgotten.add(link)
    }
    this.#links.clear()
  }

  /** Holds back the next piece from a client for which `isWanted` holds, and what comes behind it on its connection. */
  hold(isWanted: (bytes: Buffer) => boolean = () => true): Held {
    let release: (() => void) | undefined
    let isReleased = false
    const caught = new Promise<void>(resolve => {
      this.#wanted = {
        isWanted,
        caught: letGo => {
          if (isReleased) return letGo()
          release = letGo
          resolve()
        },
      }
    })
    return {
      caught,
      release: () => {
        isReleased = true
        if (release === undefined) this.#wanted = undefined
        release?.()
      },
    }
  }

  /** What the server sends goes through a filter made for each connection that is opened from now on. */
  filterToClient(makeFilter: () => (bytes: Buffer) => Buffer): void {
    this.#filter = makeFilter
  }

  async close(): Promise<void> {
    await this.set('refuse')
  }

  async #listen(): Promise<void> {
    const server = createServer(client => {
      // Accepted while the door was being closed.
      if (this.#server !== server) return void client.resetAndDestroy()
      const link = new ProxyLink(client, this.targetPort, {
        toServer: bytes => this.#claim(bytes),
        toClient: this.#filter?.() ?? (bytes => bytes),
        closed: () => {
          this.#links.delete(link)
          this.#forgotten.delete(link)
        },
      })
      this.#links.add(link)
      link.apply(conditionsOf(this.#mode))
    })
    this.#server = server
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
  }

  /** Who takes a piece decides when it goes on. */
  #claim(bytes: Buffer): ((release: () => void) => void) | undefined {
    if (this.#wanted?.isWanted(bytes) !== true) return undefined
    const { caught } = this.#wanted
    this.#wanted = undefined
    return caught
  }

  #reset(links: Set<ProxyLink>): void {
    for (const link of [...links]) link.reset()
    links.clear()
  }
}

/** A proxy in mode `pass` to a loopback port, closed at the test's end. */
export async function startProxy(t: TestScope, targetPort: number): Promise<TcpProxy> {
  const proxy = new TcpProxy(targetPort)
  await proxy.set('pass')
  t.teardown(() => proxy.close())
  return proxy
}

function conditionsOf(mode: ProxyMode): Conditions {
  const pass = { isOpen: true, delayMs: 0, bytesPerSecond: Infinity }
  const stop = { ...pass, isOpen: false }
  if (typeof mode === 'object') return { toServer: { ...pass, ...mode }, toClient: { ...pass, ...mode } }
  return {
    toServer: mode === 'black_hole' || mode === 'drop_to_server' ? stop : pass,
    toClient: mode === 'black_hole' || mode === 'drop_to_client' ? stop : pass,
  }
}
