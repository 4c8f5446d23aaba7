/** The way of one process to all servers of one kind, a proxy before each of them, which fails as a whole. */
import { startProxy, type Held, type ProxyMode, type TcpProxy } from './proxy.js'
import type { TestScope } from './servers.js'

interface Passage {
  readonly serverPort: number
  readonly proxy: TcpProxy
}

export class Link {
  readonly #proxies: readonly TcpProxy[]

  constructor(private readonly passages: readonly Passage[]) {
    this.#proxies = passages.map(({ proxy }) => proxy)
  }

  /** Where the process connects to, `host:port` for each server. */
  get addresses(): string[] {
    return this.#proxies.map(({ port }) => addressOf(port))
  }

  /** Where servers are that announce themselves, as configurations want it. */
  get addressMap(): string[] {
    return this.passages.map(({ serverPort, proxy }) => `${addressOf(serverPort)}=${addressOf(proxy.port)}`)
  }

  /** Resolves when the mode is in force for existing and for new connections. */
  async set(mode: ProxyMode): Promise<void> {
    await Promise.all(this.#proxies.map(proxy => proxy.set(mode)))
  }

  /** Resets every open connection. */
  cut(): void {
    for (const proxy of this.#proxies) proxy.cut()
  }

  /** Open connections never carry a byte again and are never closed. */
  forget(): void {
    for (const proxy of this.#proxies) proxy.forget()
  }

  /** Holds back the next piece for which `isWanted` holds, to each server. */
  hold(isWanted?: (bytes: Buffer) => boolean): Held {
    const held = this.#proxies.map(proxy => proxy.hold(isWanted))
    return {
      caught: Promise.race(held.map(({ caught }) => caught)),
      release: () => {
        for (const one of held) one.release()
      },
    }
  }

  /** What the servers send goes through a filter made for each connection that is opened from now on. */
  filterToClient(makeFilter: () => (bytes: Buffer) => Buffer): void {
    for (const proxy of this.#proxies) proxy.filterToClient(makeFilter)
  }
}

/** Resolves when every proxy listens. */
export async function startLink(t: TestScope, servers: readonly { readonly port: number }[]): Promise<Link> {
  const started = servers.map(async ({ port }) => ({ serverPort: port, proxy: await startProxy(t, port) }))
  return new Link(await Promise.all(started))
}

function addressOf(port: number): string {
  return `127.0.0.1:${port}`
}
