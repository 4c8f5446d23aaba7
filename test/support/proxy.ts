/** A TCP proxy whose network can fail on demand, between a client under test and a real server. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { TestScope } from './servers.js'

/**
 * - `pass`: bytes go both ways.
 * - `refuse`: nobody listens; connections that exist are reset.
 * - `black_hole`: connections stay open and new ones are accepted, but no byte goes through, as when packets are dropped.
 */
export type ProxyMode = 'pass' | 'refuse' | 'black_hole'

export class TcpProxy {
  readonly #links = new Set<readonly [Socket, Socket]>()
  #server: Server | undefined
  #port = 0
  #mode: ProxyMode = 'pass'

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
      await closed
      return
    }
    for (const link of this.#links) this.#flow(link)
    if (this.#server === undefined) await this.#listen()
  }

  /** Resets every open connection; new ones are served as the mode says. */
  cut(): void {
    for (const [client, target] of this.#links) {
      client.resetAndDestroy()
      target.resetAndDestroy()
    }
    this.#links.clear()
  }

  async close(): Promise<void> {
    await this.set('refuse')
  }

  async #listen(): Promise<void> {
    const server = createServer(client => this.#accept(client))
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  #accept(client: Socket): void {
    const target = connect(this.targetPort, '127.0.0.1')
    const link = [client, target] as const
    this.#links.add(link)
    for (const socket of link) {
      socket.setNoDelay(true)
      // An error is followed by `close`, which ends the other side.
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#links.delete(link)
        for (const end of link) end.destroy()
      })
    }
    client.on('data', bytes => forward(bytes, client, target))
    target.on('data', bytes => forward(bytes, target, client))
    client.on('drain', () => this.#flow(link))
    target.on('drain', () => this.#flow(link))
    this.#flow(link)
  }

  #flow(link: readonly [Socket, Socket]): void {
    for (const [from, to] of [link, [link[1], link[0]] as const]) {
      if (this.#mode === 'black_hole' || to.writableNeedDrain) from.pause()
      else from.resume()
    }
  }
}

/** A proxy in mode `pass` to a loopback port, closed at the test's end. */
export async function startProxy(t: TestScope, targetPort: number): Promise<TcpProxy> {
  const proxy = new TcpProxy(targetPort)
  await proxy.set('pass')
  t.teardown(() => proxy.close())
  return proxy
}

function forward(bytes: Buffer, from: Socket, to: Socket): void {
  if (!to.write(bytes)) from.pause()
}
