/**
 * Shares the partitions of a pipeline among its replicas, without a leader: each replica shows that it lives, looks at who owns
 * what, takes what is free and its own, and gives up what another one should have.
 *
 * What is decided here is never needed for correctness: the store compares tokens, whoever thinks to be an owner. It is only
 * about how soon work goes on and how evenly it is spread.
 */
import { MillraceError, messageOf, type ErrorCode } from '../errors.js'
import type { PartitionMeta, ProfileStore } from '../store.js'
import { Wakeup } from '../wakeup.js'
import { ChangeWatch } from './change-watch.js'
import { planLeases } from './lease-plan.js'
import { Members, type MembersOptions } from './members.js'
import type { Halts, Standing } from './sign.js'

/** A partition as this process holds it or could hold it. */
export interface Leasable {
  readonly number: number
  /** From `claim` until it was given up or lost. */
  readonly isClaimed: boolean
  /** Claimed just now, and busy with what has come meanwhile. */
  readonly isSettling: boolean
  /** Why it is halted; empty when it is not. */
  readonly halt: ErrorCode | ''
  /** Take the partition, if its stored token is still this one. */
  claim(expected: string): void
  /** Finish what was taken, then give it up. */
  release(): void
  /** Give it up as it is stored. */
  abandon(): void
  /** Do what taking it takes, without taking it: the first time of everything is slow. Never rejects. */
  rehearse(): Promise<void>
}

export interface LeaseOptions extends MembersOptions {
  readonly store: Pick<ProfileStore, 'beat' | 'leave' | 'readMeta'>
  readonly partitions: readonly Leasable[]
  /** Tells the other replicas that something is free or somebody ready. Only saves them time. */
  readonly hint: () => void
  /** Without a connection to NATS. */
  readonly isCutOff: () => boolean
}

/** What came of reading a partition's meta. */
type ReadMeta = PromiseSettledResult<PartitionMeta | undefined>

/** Looks within one lease. */
const looksPerLease = 10
/**
 * A replica must have seen others with NATS for a lease, and at least for so long, while it had none, to leave them its partitions. A
 * short cut of the link mends itself; when the server is away for all, replicas do not notice at the same moment, nor are they back at
 * the same moment; and who has died meanwhile is counted for a lease.
 */
const leastPatienceMs = 5_000
/** Between two looks of a replica that leaves, if no hint comes. */
const leavingLookMs = 100

/** Stands for the owner of a partition that belongs to the next generation: nobody can take it, and nobody waits for it. */
const sealedOwner = '(sealed)'

export class Leases {
  readonly #watch: ChangeWatch<number>
  readonly #members: Members
  readonly #wakeup = new Wakeup()
  /** Everything was given away. */
  readonly #given = new Wakeup()
  readonly #owners: string[]
  #shown: Standing | undefined
  #running = Promise.resolve()
  #isLeaving = false
  #isStopping = false
  #isTroubled = false
  /** Monotonic; `Infinity` while there is nothing to abandon, or nobody to leave it to. */
  #abandonsAt = Infinity

  constructor(private readonly options: LeaseOptions) {
    const { ttlMs, partitions } = options
    this.#watch = new ChangeWatch(ttlMs / 2)
    this.#members = new Members(options)
    this.#owners = partitions.map(() => '')
  }

  /** Name of the replica that was last seen to own the partition; empty when nobody does or nobody knows yet. */
  ownerOf(partition: number): string {
    return this.#owners[partition]!
  }

  /** Until stopped. Rejects with `replica_name_taken`. */
  run(): Promise<void> {
    return (this.#running = this.#loop())
  }

  /** Somebody has something to give or is ready to take, here or elsewhere. */
  lookSoon(): void {
    this.#wakeup.wake()
  }

  /**
   * From now on takes nothing, and gives one partition after the other to whoever is ready for it. Resolves when all are given,
   * or after `withinMs`.
   */
  async handOver(withinMs: number): Promise<void> {
    this.#isLeaving = true
    if (!this.options.partitions.some(({ isClaimed }) => isClaimed)) return
    this.#wakeup.wake()
    await Promise.race([this.#given.wait(withinMs), this.#running.catch(() => undefined)])
  }

  /** Is counted no more. Partitions that are left are given up by their own stop. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#wakeup.wake()
    // A sign of life after the leave would make the others wait a lease for this replica.
    await this.#running.catch(() => undefined)
    await this.#members.leave()
  }

  async #loop(): Promise<void> {
    await this.#rehearse()
    while (!this.#isStopping) {
      try {
        await this.#look()
        this.#isTroubled = false
      } catch (error) {
        if (error instanceof MillraceError && error.action === 'stop') throw error
        // Nobody can renew what nobody can reach: what was seen before proves nothing.
        this.#watch.forget()
        this.#members.forget()
        this.#abandonsAt = Infinity
        if (!this.#isTroubled) this.options.log.warn({ error: messageOf(error) }, 'leases cannot be read')
        this.#isTroubled = true
      }
      const pauseMs = this.options.ttlMs / looksPerLease
      if (!this.#isStopping) await this.#wakeup.wait(this.#isLeaving ? Math.min(leavingLookMs, pauseMs) : pauseMs)
    }
  }

  /** Before others know of this replica: from then on they give it what they work on. */
  async #rehearse(): Promise<void> {
    const { partitions, replica } = this.options
    const metas = await this.#readMetas(partitions).catch(() => []) // the first look will tell
    const owners = metas.map(read => (read.status === 'fulfilled' && read.value?.replica) || '')
    // What is free, or was this replica's before it was started again, waits for it.
    if (owners.length === 0 || owners.some(owner => owner === '' || owner === replica)) return
    await partitions[0]!.rehearse()
  }

  get #patienceMs(): number {
    return Math.max(leastPatienceMs, this.options.ttlMs)
  }

  async #look(): Promise<void> {
    const { replica, partitions } = this.options
    const standing = this.#standing
    const others = partitions.filter(({ isClaimed }) => !isClaimed)
    const [living, metas] = await Promise.all([this.#members.look(standing, this.#halts), this.#readMetas(others)])
    // As long as others do not know that this replica leaves, they would expect it to take back what it gives.
    if (this.#isStopping || (this.#isLeaving && standing !== 'leaving')) return
    if (standing !== this.#shown && standing !== 'busy') this.options.hint()
    this.#shown = standing
    const tokens = this.#see(others, metas)
    const plan = planLeases({ me: replica, living, owners: this.#owners })
    for (const number of plan.claim) {
      const partition = partitions[number]!
      const token = tokens.get(number)
      // Not seen in this look.
      if (token === undefined) continue
      if (!partition.isClaimed) partition.claim(token)
      this.#owners[number] = replica
    }
    for (const number of plan.release) partitions[number]!.release()
    this.#abandonsAt =
      plan.abandon.length === 0 ? Infinity : Math.min(this.#abandonsAt, performance.now() + this.#patienceMs)
    if (performance.now() >= this.#abandonsAt) for (const number of plan.abandon) partitions[number]!.abandon()
    // Others must not give more meanwhile.
    if (this.#standing !== standing) this.#wakeup.wake()
    if (this.#isLeaving && !partitions.some(({ isClaimed }) => isClaimed)) this.#given.wake()
  }

  /** Brings up to date who owns what, and takes back what is this replica's own. Gives the tokens of what could be read. */
  #see(others: readonly Leasable[], metas: readonly ReadMeta[]): ReadonlyMap<number, string> {
    const { replica, partitions, log } = this.options
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
      if (owner === replica && !partition.isClaimed && !this.#isLeaving) partition.claim(tokens.get(number)!)
      if (owner === sealedOwner && this.#owners[number] !== owner) {
        log.info({ partition: number }, 'partition is sealed, the next generation goes on')
      }
      this.#owners[number] = owner
    })
    return tokens
  }

  get #standing(): Standing {
    if (this.#isLeaving) return 'leaving'
    if (this.options.isCutOff()) return 'cut_off'
    return this.options.partitions.some(({ isSettling }) => isSettling) ? 'busy' : 'ready'
  }

  get #halts(): Halts {
    return new Map(this.options.partitions.flatMap(({ number, halt }) => (halt === '' ? [] : [[number, halt]])))
  }

  /** What cannot be reached stays as it was; others of a cluster may be. Rejects when nothing can. */
  async #readMetas(partitions: readonly Leasable[]): Promise<ReadMeta[]> {
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
}
