/**
 * Shares the partitions of a pipeline among its replicas, without a leader: each replica shows that it lives, looks at who owns
 * what, takes what is free and its own, and gives up what another one should have.
 *
 * What is decided here is never needed for correctness: the store compares tokens, whoever thinks to be an owner. It is only
 * about how soon work goes on and how evenly it is spread.
 */
import { randomUUID } from 'node:crypto'
import { ChangeWatch } from './change-watch.js'
import { planLeases } from './lease-plan.js'
import { MillraceError, messageOf } from './errors.js'
import type { Log } from './log.js'
import type { PartitionMeta, ProfileStore } from './store.js'
import { Wakeup } from './wakeup.js'

/** A partition as this process holds it or could hold it. */
export interface Leasable {
  readonly number: number
  /** From `claim` until it was given up or lost. */
  readonly isClaimed: boolean
  /** Take the partition, if its stored token is still this one. */
  claim(expected: string): void
  /** Finish what was taken, then give it up. */
  release(): void
}

export interface LeaseOptions {
  readonly replica: string
  readonly ttlMs: number
  /** When this process started, epoch milliseconds: of two processes of one name the later one stays. */
  readonly startedAt: number
  readonly store: Pick<ProfileStore, 'beat' | 'leave' | 'readMeta'>
  readonly partitions: readonly Leasable[]
  readonly log: Log
  /** Tells the other replicas that something is free or somebody new. Only saves them time. */
  readonly hint: () => void
}

/** Looks within one lease. */
const looksPerLease = 10
/** Signs of replicas that have been silent for so many leases are removed. */
const forgottenAfter = 20

/** Stands for the owner of a partition that belongs to the next generation: nobody can take it, and nobody waits for it. */
const sealedOwner = '(sealed)'

export class Leases {
  readonly #watch: ChangeWatch<number>
  readonly #signs: ChangeWatch<string>
  readonly #wakeup = new Wakeup()
  readonly #incarnation: string
  readonly #owners: string[]
  #beats = 0
  #members: ReadonlySet<string> = new Set()
  #sign = ''
  #running = Promise.resolve()
  #isStopping = false
  #isTroubled = false

  constructor(private readonly options: LeaseOptions) {
    const { ttlMs, partitions } = options
    this.#watch = new ChangeWatch(ttlMs / 2)
    this.#signs = new ChangeWatch(ttlMs / 2)
    this.#owners = partitions.map(() => '')
    this.#incarnation = `${Math.floor(options.startedAt)}-${randomUUID()}`
  }

  /** Name of the replica that was last seen to own the partition; empty when nobody does or nobody knows yet. */
  ownerOf(partition: number): string {
    return this.#owners[partition]!
  }

  /** True when another replica lives that can take what this one gives up. */
  get hasCompany(): boolean {
    return this.#members.size > 1
  }

  /** Until stopped. Rejects with `replica_name_taken`. */
  run(): Promise<void> {
    return (this.#running = this.#loop())
  }

  /** Somebody has something to give, or is new. */
  lookSoon(): void {
    this.#wakeup.wake()
  }

  /** Takes nothing any more and is counted no more. The partitions are given up by their own stop. */
  async stop(): Promise<void> {
    const { store, replica } = this.options
    this.#isStopping = true
    this.#wakeup.wake()
    // A sign of life after the leave would make the others wait a lease for this replica.
    await this.#running.catch(() => undefined)
    await store.leave(replica, this.#sign).catch(() => undefined)
  }

  async #loop(): Promise<void> {
    this.options.hint()
    while (!this.#isStopping) {
      try {
        await this.#look()
        this.#isTroubled = false
      } catch (error) {
        if (error instanceof MillraceError && error.action === 'stop') throw error
        // Nobody can renew what nobody can reach: what was seen before proves nothing.
        this.#watch.forget()
        this.#signs.forget()
        if (!this.#isTroubled) this.options.log.warn({ error: messageOf(error) }, 'leases cannot be read')
        this.#isTroubled = true
      }
      if (!this.#isStopping) await this.#wakeup.wait(this.options.ttlMs / looksPerLease)
    }
  }

  async #look(): Promise<void> {
    const { replica, partitions } = this.options
    const members = (this.#members = await this.#livingMembers())
    const others = partitions.filter(({ isClaimed }) => !isClaimed)
    const metas = await this.#readMetas(others)
    if (this.#isStopping) return
    const now = performance.now()
    this.#watch.look(now)
    for (const { number, isClaimed } of partitions) if (isClaimed) this.#owners[number] = replica
    const tokens = new Map<number, string>()
    others.forEach((partition, i) => {
      const { number } = partition
      const read = metas[i]!
      if (read.status === 'rejected') return this.#watch.drop(number)
      const meta = read.value
      const owner = this.#ownerIn(number, meta, now)
      tokens.set(number, meta?.token ?? '')
      // Owned by this replica and not held: by the process before this one, or by this one before the store was rolled back.
      if (owner === replica && !partition.isClaimed) partition.claim(tokens.get(number)!)
      if (owner === sealedOwner && this.#owners[number] !== owner) {
        this.options.log.info({ partition: number }, 'partition is sealed, the next generation goes on')
      }
      this.#owners[number] = owner
    })
    const plan = planLeases({ me: replica, members, owners: this.#owners })
    for (const number of plan.claim) {
      const partition = partitions[number]!
      const token = tokens.get(number)
      // Not seen in this look.
      if (token === undefined) continue
      if (!partition.isClaimed) partition.claim(token)
      this.#owners[number] = replica
    }
    for (const number of plan.release) partitions[number]!.release()
  }

  /** What cannot be reached stays as it was; others of a cluster may be. Rejects when nothing can. */
  async #readMetas(partitions: readonly Leasable[]): Promise<PromiseSettledResult<PartitionMeta | undefined>[]> {
    const metas = await Promise.allSettled(partitions.map(({ number }) => this.options.store.readMeta(number)))
    const [first] = metas
    if (first?.status === 'rejected' && metas.every(({ status }) => status === 'rejected')) throw first.reason
    return metas
  }

  /** Empty when nobody owns it, or its owner has been silent for a whole lease. */
  #ownerIn(partition: number, meta: PartitionMeta | undefined, now: number): string {
    const sign = meta === undefined ? '' : `${meta.token} ${meta.renewals}`
    const stillMs = this.#watch.stillFor(partition, sign, now)
    if (meta?.phase === 'sealed') return sealedOwner
    if (meta === undefined || meta.token === '' || stillMs >= this.options.ttlMs) return ''
    return meta.replica
  }

  /** Shows a sign of life and gives who else has shown one within the lease. */
  async #livingMembers(): Promise<ReadonlySet<string>> {
    const { store, replica, ttlMs, log } = this.options
    const sign = `${this.#incarnation}:${++this.#beats}`
    const known = await store.beat(replica, sign)
    this.#sign = sign
    const now = performance.now()
    this.#signs.look(now)
    const members = new Set([replica])
    for (const [name, seen] of known) {
      const stillMs = this.#signs.stillFor(name, seen, now)
      if (name === replica) this.#requireOwnName(seen)
      else if (stillMs < ttlMs) members.add(name)
      else if (stillMs > ttlMs * forgottenAfter) {
        log.info({ replica: name }, 'silent replica is forgotten')
        this.#signs.drop(name)
        await store.leave(name, seen)
      }
    }
    return members
  }

  /** Two processes of one name would take each other's partitions for ever. */
  #requireOwnName(seen: string): void {
    const [incarnation = ''] = seen.split(':')
    if (incarnation === this.#incarnation || incarnation < this.#incarnation) return
    const { replica } = this.options
    throw new MillraceError('replica_name_taken', `another process has the replica's name, "${replica}"`)
  }
}
