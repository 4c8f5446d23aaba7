/** What a fault is: something that is done to a running rig and undone again. */
import type { Random } from '../../../examples/shop/random.js'
import type { Monitor } from '../rig/monitor.js'
import type { Member, Rig, Setup } from '../rig/rig.js'

/** What a fault takes hold of; no two faults do so with the same thing at the same time. */
export type Grip = 'nats' | 'redis' | 'member' | 'members'

export interface Scene {
  readonly rig: Rig
  /** The replica that is hit, by faults that hit one. */
  readonly member: Member
  readonly random: Random
  readonly monitor: Monitor
  readonly say: (line: string) => void
}

/** Undoes the fault; resolves when it is undone, which does not mean that everybody has recovered. */
export type Heal = () => Promise<void>

export interface Fault {
  readonly name: string
  readonly grips: readonly Grip[]
  /** How long it lasts, milliseconds. */
  readonly lastsMs: readonly [least: number, most: number]
  /** It cannot be undone: what comes later meets other servers than what came before. */
  readonly isLasting?: true
  /** What it is done to; a rig without that cannot have it. */
  readonly needs?: Setup
  /** Why this rig cannot have it; `undefined` when it can. */
  readonly refusal?: (rig: Rig) => string | undefined
  readonly inject: (scene: Scene) => Promise<Heal>
}

export const nothingToHeal: Heal = () => Promise.resolve()
