/**
 * Who should own which partition: sticky, even, a few moves at a time. Every replica works it out for itself from what it sees
 * in the store; when two see different things the store's comparison of tokens decides, and the next look puts it right.
 */

/** Partitions given away in one look, over all replicas: each stands still for a moment. */
const maxMoves = 2

export interface LeaseView {
  /** Name of this replica. */
  readonly me: string
  /** Names of the replicas that live, this one included. */
  readonly members: ReadonlySet<string>
  /** Owner of each partition, by its number; empty when it is free to be taken. */
  readonly owners: readonly string[]
}

export interface LeasePlan {
  /** Free partitions that this replica takes. */
  readonly claim: readonly number[]
  /** Partitions of this replica that another one should have. */
  readonly release: readonly number[]
}

/**
 * A free partition goes to whoever has the fewest. While somebody has two more than another one, whoever has the most gives.
 * Equal counts go by name, so that all replicas come to the same result.
 */
export function planLeases({ me, members, owners }: LeaseView): LeasePlan {
  const names = [...members].sort()
  const counts = new Map(names.map(name => [name, 0]))
  for (const owner of owners) if (counts.has(owner)) counts.set(owner, counts.get(owner)! + 1)
  const change = (name: string, by: number): void => void counts.set(name, counts.get(name)! + by)
  const poorest = (): string => names.reduce((a, b) => (counts.get(b)! < counts.get(a)! ? b : a))
  const richest = (): string => names.reduce((a, b) => (counts.get(b)! > counts.get(a)! ? b : a))

  const claim: number[] = []
  owners.forEach((owner, partition) => {
    if (owner !== '') return
    const taker = poorest()
    change(taker, 1)
    if (taker === me) claim.push(partition)
  })

  const release: number[] = []
  const mine = owners.flatMap((owner, partition) => (owner === me ? [partition] : []))
  for (let moves = 0; moves < maxMoves && counts.get(richest())! - counts.get(poorest())! >= 2; moves++) {
    const giver = richest()
    if (giver === me && mine.length > 0) release.push(mine.pop()!)
    change(giver, -1)
    change(poorest(), 1)
  }
  return { claim, release }
}
