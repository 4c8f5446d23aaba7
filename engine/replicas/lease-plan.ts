/**
 * Who should own which partition: sticky, even, one move at a time. Every replica works it out for itself from what it sees
 * in the store; when two see different things the store's comparison of tokens decides, and the next look puts it right.
 */
import type { Standing } from './sign.js'

export interface LeaseView {
  /** Name of this replica. */
  readonly me: string
  /** The replicas that live, by name, this one included. */
  readonly living: ReadonlyMap<string, Standing>
  /** Owner of each partition, by its number; empty when it is free to be taken. */
  readonly owners: readonly string[]
}

export interface LeasePlan {
  /** Free partitions that this replica takes. */
  readonly claim: readonly number[]
  /** Partitions of this replica that another one should have. */
  readonly release: readonly number[]
  /** The same, without finishing anything first. */
  readonly abandon: readonly number[]
}

const cannotTake: ReadonlySet<Standing> = new Set(['leaving', 'cut_off'])

/**
 * A free partition goes to whoever has the fewest. A replica that leaves gives all; while nobody leaves and somebody has two more
 * than another one, whoever has the most gives one. Equal counts go by name, so that all replicas come to the same result.
 *
 * Nothing is given while something else is on its way: a partition stands still until the next owner runs it, and with
 * two to take over it would stand still for both. What a replica without NATS owns stands still already, so all of it is given at
 * once to those who have NATS. When nobody has, everybody keeps what is theirs.
 */
export function planLeases({ me, living, owners }: LeaseView): LeasePlan {
  const standing = living.get(me)
  const isLeaving = standing === 'leaving'
  const mine = owners.flatMap((owner, partition) => (owner === me ? [partition] : []))
  const takers = [...living.keys()].filter(name => !cannotTake.has(living.get(name)!)).sort()
  if (takers.length === 0) return { claim: [], release: isLeaving ? mine : [], abandon: [] }
  if (standing === 'cut_off') return { claim: [], release: [], abandon: mine }
  const counts = new Map(takers.map(name => [name, 0]))
  for (const owner of owners) if (counts.has(owner)) counts.set(owner, counts.get(owner)! + 1)
  const poorest = (): string => takers.reduce((a, b) => (counts.get(b)! < counts.get(a)! ? b : a))
  const richest = (): string => takers.reduce((a, b) => (counts.get(b)! > counts.get(a)! ? b : a))

  const claim: number[] = []
  owners.forEach((owner, partition) => {
    if (owner !== '') return
    const taker = poorest()
    counts.set(taker, counts.get(taker)! + 1)
    if (taker === me) claim.push(partition)
  })

  const isOneOnItsWay = owners.includes('') || living.get(poorest()) === 'busy'
  const isUneven = counts.get(richest())! - counts.get(poorest())! >= 2
  const isAnyLeaving = owners.some(owner => living.get(owner) === 'leaving')
  const isGiver = isAnyLeaving ? isLeaving : isUneven && richest() === me
  return { claim, release: isGiver && !isOneOnItsWay ? mine.slice(-1) : [], abandon: [] }
}
