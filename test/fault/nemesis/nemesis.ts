/** Puts a running rig through faults: at random times in random company, or each alone, one after the other. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../../examples/shop/random.js'
import type { Monitor } from '../rig/monitor.js'
import type { Member, Rig } from '../rig/rig.js'
import type { Fault, Heal } from './fault.js'

/** A fault as it happened; epoch milliseconds. */
export interface Occurrence {
  readonly name: string
  readonly from: number
  readonly to: number
}

export interface NemesisOptions {
  readonly rig: Rig
  readonly monitor: Monitor
  readonly random: Random
  readonly faults: readonly Fault[]
  /** Between the beginnings of two faults, or of two pairs. Default 10 to 20 s. */
  readonly everyMs?: readonly [least: number, most: number] | undefined
  readonly say: (line: string) => void
}

const defaultEveryMs = [10_000, 20_000] as const
/** A single fault less often than not, so that most have company by what is left of the one before. */
const pairShare = 0.35

export class Nemesis {
  readonly occurrences: Occurrence[] = []
  /** Replicas and servers in the hands of a fault. */
  readonly #gripped = new Set<string>()
  readonly #active = new Set<Promise<void>>()
  #deck: Fault[] = []
  #failure: unknown

  constructor(private readonly options: NemesisOptions) {}

  /** How often each fault has happened. */
  get counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const { name } of this.occurrences) counts[name] = (counts[name] ?? 0) + 1
    return counts
  }

  /**
   * Seeded faults and pairs for this long; resolves when all are healed. What lasts comes alone, when two thirds are over: most
   * of the run is with the servers that it was started with, and some of it with the others.
   */
  async roam(ms: number): Promise<void> {
    const lasting = this.options.faults.filter(fault => fault.isLasting === true && !this.#isRefused(fault))
    if (lasting.length === 0) return this.#strikeFor(ms)
    await this.#strikeFor((ms * 2) / 3)
    for (const fault of lasting) await this.#alone(fault)
    await this.#strikeFor(ms / 3)
  }

  /** Each fault alone, but for what lasts; `recovered` is awaited after each. */
  async each(recovered: (name: string) => Promise<void>): Promise<void> {
    for (const fault of this.options.faults) {
      if (fault.isLasting === true || this.#isRefused(fault)) continue
      await this.#alone(fault)
      await recovered(fault.name)
    }
  }

  async #strikeFor(ms: number): Promise<void> {
    const { random, everyMs = defaultEveryMs } = this.options
    const end = performance.now() + ms
    for (;;) {
      // Short runs see a fault too.
      await sleep(Math.min(random.whole(...everyMs), ms / 3))
      const leftMs = end - performance.now()
      if (leftMs <= 0 || this.#failure !== undefined) break
      for (let i = random.chance(pairShare) ? 2 : 1; i > 0; i--) this.#strike(leftMs)
    }
    await this.#allOver()
  }

  async #alone(fault: Fault): Promise<void> {
    this.#begin(fault)
    await this.#allOver()
  }

  async #allOver(): Promise<void> {
    await Promise.all(this.#active)
    if (this.#failure !== undefined) throw this.#failure as Error
  }

  /** Draws from a shuffled deck, so that each has its turn before one comes again. */
  #strike(leftMs: number): void {
    const { faults, random } = this.options
    if (this.#deck.length === 0)
      this.#deck = shuffled(
        faults.filter(({ isLasting }) => isLasting !== true),
        random,
      )
    const place = this.#deck.findIndex(
      fault => this.#isFree(fault) && fault.lastsMs[0] < leftMs && !this.#isRefused(fault),
    )
    if (place === -1) {
      // Only those are left that cannot happen any more.
      if (this.#active.size === 0) this.#deck = []
      return
    }
    const [fault] = this.#deck.splice(place, 1)
    this.#begin(fault!)
  }

  #begin(fault: Fault): void {
    const { rig, random } = this.options
    const member = random.pick(this.#freeMembers(rig))
    const grips = fault.grips.map(grip => (grip === 'member' ? member.replica.name : grip))
    for (const grip of grips) this.#gripped.add(grip)
    const happening = this.#happen(fault, member)
      .catch((error: unknown) => {
        this.#failure ??= new Error(`fault ${fault.name} cannot happen: ${String(error)}`, { cause: error })
      })
      .finally(() => {
        this.#active.delete(happening)
        for (const grip of grips) this.#gripped.delete(grip)
      })
    this.#active.add(happening)
  }

  async #happen(fault: Fault, member: Member): Promise<void> {
    const { rig, monitor, random, say } = this.options
    const from = Date.now()
    const where = fault.grips.includes('member') ? ` of ${member.replica.name}` : ''
    say(`${fault.name}${where}`)
    const heal: Heal = await fault.inject({ rig, member, random, monitor, say })
    await sleep(random.whole(...fault.lastsMs))
    await heal()
    const to = Date.now()
    say(`${fault.name}${where} is over after ${to - from} ms`)
    this.occurrences.push({ name: fault.name, from, to })
  }

  #isFree({ grips }: Fault): boolean {
    const { rig } = this.options
    return grips.every(grip => {
      if (grip === 'member') return !this.#gripped.has('members') && this.#freeMembers(rig).length > 0
      if (grip === 'members')
        return !this.#gripped.has('members') && this.#freeMembers(rig).length === rig.members.length
      return !this.#gripped.has(grip)
    })
  }

  #freeMembers({ members }: Rig): readonly Member[] {
    const free = members.filter(({ replica }) => !this.#gripped.has(replica.name))
    return free
  }

  #isRefused(fault: Fault): boolean {
    const { rig } = this.options
    const { needs } = fault
    const refusal = needs === undefined || rig.has(needs) ? fault.refusal?.(rig) : `the run has no ${needs}`
    if (refusal !== undefined) this.#sayOnce(`${fault.name} is left out: ${refusal}`)
    return refusal !== undefined
  }

  readonly #said = new Set<string>()
  #sayOnce(line: string): void {
    if (this.#said.has(line)) return
    this.#said.add(line)
    this.options.say(line)
  }
}

function shuffled<Value>(values: readonly Value[], random: Random): Value[] {
  const left = [...values]
  const result: Value[] = []
  while (left.length > 0) result.push(...left.splice(random.whole(0, left.length - 1), 1))
  return result
}
