/**
 * A link to the masters of a Redis Cluster.
 *
 * It follows what the nodes say and nothing else: MOVED and ASK are obeyed, TRYAGAIN and CLUSTERDOWN waited for within the bound of
 * a command, because after each of these replies the command was not run. After any other failure it may have been run, so
 * the caller must know. The client's own cluster mode also sends commands again whose reply was lost, keeps them in
 * queues while a node is away, and sends them to nodes picked at random; therefore there is a plain connection for each node here.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { RedisOptions } from 'ioredis'
import { MillraceError } from '../engine/index.js'
import { answered, connected, openConnection, redisError, textOf } from './redis-connection.js'
import type { LinkOptions, RedisCommand, RedisLink } from './redis-link.js'
import { withScripts, type ScriptedRedis } from './redis-scripts.js'
import { splitAddress, type Address } from './redis-settings.js'
import { slotOf } from './redis-slot.js'

/** Between two tries while a slot moves or a failover is on. */
const retryMs = 50
/** A reply that takes longer is a reason to ask whether the slot has another owner by now. */
const slowMs = 1_000
/** Followed at once; more than these means that nodes disagree about who holds a slot, which passes. */
const swiftRedirections = 3
/** What a reply begins with that says the command was not run, and why. */
const notRun = ['MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN']

type Holder = readonly [host: string | null, port: number, ...rest: unknown[]]
type SlotRange = readonly [from: number, to: number, master: Holder, ...replicas: Holder[]]

export class ClusterLink implements RedisLink {
  readonly #nodes = new Map<string, ScriptedRedis>()
  /** `host:port` by slot. */
  #owners: string[] = []
  #refreshing: Promise<void> | undefined
  #isClosed = false

  constructor(
    private readonly seeds: readonly string[],
    private readonly login: RedisOptions,
    /** Where a node is reached that is announced as `host:port`. */
    private readonly reachedAt: (announced: string) => Address,
    private readonly options: LinkOptions,
  ) {}

  get isReady(): boolean {
    const masters = this.#masters()
    return masters.length > 0 && masters.every(address => this.#nodes.get(address)?.status === 'ready')
  }

  async connect(): Promise<void> {
    await this.#refresh()
    await Promise.all(this.#masters().map(address => this.#connected(address)))
  }

  async run<T>(key: string, doing: string, command: RedisCommand<T>): Promise<T> {
    const slot = slotOf(key)
    const deadline = performance.now() + this.options.timeoutMs
    let asked: string | undefined
    for (let tries = 0; ; tries++) {
      const node = asked ?? this.#owners[slot]
      try {
        if (node === undefined) throw new Error(`no node is known to hold slot ${slot}`)
        return await this.#runOn(node, asked !== undefined, command)
      } catch (error) {
        const [word = '', , address = ''] = textOf(error).split(' ')
        const isRedirected = word === 'MOVED' || word === 'ASK'
        if (word === 'MOVED') this.#owners[slot] = fullAddress(address, node!)
        if (word !== 'ASK' && word !== 'TRYAGAIN') this.#refreshSoon()
        if (!notRun.includes(word) || performance.now() > deadline) throw redisError(error, doing)
        asked = word === 'ASK' ? fullAddress(address, node!) : undefined
        if (!isRedirected || tries >= swiftRedirections) await delay(retryMs)
      }
    }
  }

  async onEveryMaster<T>(doing: string, command: RedisCommand<T>): Promise<(readonly [string, T])[]> {
    const replies = this.#masters().map(async address => {
      const reply = await this.#runOn(address, false, command).catch((error: unknown) => {
        throw redisError(error, doing)
      })
      return [`Redis node ${address}`, reply] as const
    })
    return Promise.all(replies)
  }

  close(): void {
    this.#isClosed = true
    for (const redis of this.#nodes.values()) redis.disconnect()
    this.#nodes.clear()
  }

  async #runOn<T>(address: string, isAsking: boolean, command: RedisCommand<T>): Promise<T> {
    const redis = this.#node(address)
    if (redis.status !== 'ready') await this.#connected(address)
    // It counts for the next command of the connection, which is sent in the same turn; its failure is that command's, too.
    if (isAsking) redis.asking().catch(() => undefined)
    const slow = setInterval(() => this.#refreshSoon(), slowMs)
    try {
      return await answered(redis, this.options.timeoutMs, command(redis))
    } finally {
      clearInterval(slow)
    }
  }

  /** A node that is new is waited for; one that is away is not. */
  async #connected(address: string): Promise<void> {
    const redis = this.#node(address)
    if (redis.status === 'reconnecting') throw new Error(`node ${address} is not connected`)
    await connected(redis, this.options.timeoutMs)
  }

  #node(address: string): ScriptedRedis {
    const known = this.#nodes.get(address)
    if (known !== undefined) return known
    if (this.#isClosed) throw new Error('connection is closed')
    const { name, scripts } = this.options
    const redis = openConnection({ ...this.login, ...this.reachedAt(address) }, name)
    // A script that the node does not know would be sent again without the ASKING before it.
    redis.on('ready', () => {
      for (const lua of Object.values(scripts)) redis.script('LOAD', lua).catch(() => undefined)
    })
    redis.on('close', () => {
      if (this.#nodes.has(address)) this.#refreshSoon()
    })
    const node = withScripts(redis, scripts)
    this.#nodes.set(address, node)
    return node
  }

  #masters(): string[] {
    return [...new Set(this.#owners)].filter(address => address !== undefined)
  }

  #refreshSoon(): void {
    // Whoever needs it fails by itself, and asks again.
    if (!this.#isClosed) this.#refresh().catch(() => undefined)
  }

  /** Learns who holds what from the node that answers first. */
  #refresh(): Promise<void> {
    return (this.#refreshing ??= this.#learn().finally(() => {
      this.#refreshing = undefined
    }))
  }

  async #learn(): Promise<void> {
    const known = [...this.#nodes.keys()]
    // The seeds when no node answers that is known, as at the start.
    const { address, ranges } = await this.#ask(known).catch(() => this.#ask(this.seeds))
    if (this.#isClosed) return
    const owners: string[] = []
    for (const [from, to, [host, port]] of ranges) {
      const owner = fullAddress(`${host ?? ''}:${port}`, address)
      for (let slot = from; slot <= to; slot++) owners[slot] = owner
    }
    this.#owners = owners
    this.#keepMasters()
  }

  /** What the node says that answers first. */
  async #ask(addresses: readonly string[]): Promise<{ address: string; ranges: SlotRange[] }> {
    const answers = addresses.map(async address => {
      await this.#connected(address)
      const redis = this.#node(address)
      const ranges = (await answered(redis, this.options.timeoutMs, redis.call('CLUSTER', 'SLOTS'))) as SlotRange[]
      if (ranges.length === 0) throw new Error(`node ${address} knows of no slots`)
      return { address, ranges }
    })
    try {
      return await Promise.any(answers)
    } catch (error) {
      const reasons = error instanceof AggregateError ? (error.errors as unknown[]) : [error]
      const refused = reasons.find(reason => reason instanceof MillraceError && reason.action === 'stop')
      throw redisError(refused ?? reasons[0], 'cannot read the slots of the cluster')
    }
  }

  /** Connects to masters that are new. What was sent to a node that holds nothing any more fails now: it may never answer. */
  #keepMasters(): void {
    const masters = this.#masters()
    for (const [address, redis] of this.#nodes) {
      if (masters.includes(address)) continue
      this.#nodes.delete(address)
      redis.disconnect()
    }
    for (const address of masters) this.#connected(address).catch(() => undefined) // whoever needs it fails by itself
  }
}

/** A node that does not know its own name leaves the host out: it is the one that was asked. */
function fullAddress(address: string, askedAddress: string): string {
  return /^:\d+$/.test(address) ? `${splitAddress(askedAddress).host}${address}` : address
}
