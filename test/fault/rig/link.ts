/** The way of one replica to all servers of one kind, which fails as a whole. */
import type { Held, ProxyMode, TcpProxy } from '../../support/proxy.js'

export class Link {
  constructor(private readonly proxies: readonly TcpProxy[]) {}

  /** Where the replica connects to, one port for each server. */
  get ports(): readonly number[] {
    return this.proxies.map(({ port }) => port)
  }

  /** Resolves when the mode is in force for existing and for new connections. */
  async set(mode: ProxyMode): Promise<void> {
    await Promise.all(this.proxies.map(proxy => proxy.set(mode)))
  }

  /** Resets every open connection. */
  cut(): void {
    for (const proxy of this.proxies) proxy.cut()
  }

  /** Open connections never carry a byte again and are never closed. */
  forget(): void {
    for (const proxy of this.proxies) proxy.forget()
  }

  /** Holds back the next piece for which `isWanted` holds, to each server. */
  hold(isWanted?: (bytes: Buffer) => boolean): Held {
    const held = this.proxies.map(proxy => proxy.hold(isWanted))
    return {
      caught: Promise.race(held.map(({ caught }) => caught)),
      release: () => {
        for (const one of held) one.release()
      },
    }
  }

  /** What the servers send goes through a filter made for each connection that is opened from now on. */
  filterToClient(makeFilter: () => (bytes: Buffer) => Buffer): void {
    for (const proxy of this.proxies) proxy.filterToClient(makeFilter)
  }
}
