/** What grows, and how far: each point is the personalization workload with one thing changed. */
import { fileURLToPath } from 'node:url'
import { personalization } from '../workloads/personalization/workload.js'
import type { Workload } from '../workloads/workload.js'

export const curves = ['users', 'partitions', 'traits'] as const

export interface Point {
  readonly curve: (typeof curves)[number]
  readonly size: number
  readonly workload: Workload
  readonly users: number
  /** There is a profile for each of the users before anything is measured. */
  readonly isPopulated: boolean
}

/** Where users are not what grows. Few enough that profiles are found again, more than the cache holds for long. */
const usualUsers = 100_000

/** From `build/benchmarks/growth/`. */
const definitions = new URL('../../../benchmarks/workloads/growth/', import.meta.url)

/** Without what must come out: profiles that were there before have counts that no message explains. */
const { partitions, pipelineFile, waitingTriggers = [], messages } = personalization
const shop: Workload = { name: 'growth', partitions, pipelineFile, waitingTriggers, messages }

function variant(name: string, partitions: number): Workload {
  return { ...shop, name, partitions, pipelineFile: fileURLToPath(new URL(`${name}-pipeline.ts`, definitions)) }
}

const usersPoint = (users: number): Point => {
  return { curve: 'users', size: users, workload: shop, users, isPopulated: true }
}

const partitionsPoint = (partitions: number, workload: Workload): Point => {
  return { curve: 'partitions', size: partitions, workload, users: usualUsers, isPopulated: false }
}

const traitsPoint = (traits: number): Point => {
  const workload = variant(`traits-${traits}`, shop.partitions)
  return { curve: 'traits', size: traits, workload, users: usualUsers, isPopulated: false }
}

export const points: readonly Point[] = [
  ...[10_000, 100_000, 1_000_000, 5_000_000].map(usersPoint),
  partitionsPoint(1, variant('partitions-1', 1)),
  partitionsPoint(shop.partitions, shop),
  partitionsPoint(64, variant('partitions-64', 64)),
  ...[5, 20, 50].map(traitsPoint),
]
