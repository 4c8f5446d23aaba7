import type { Effects } from '../engine/index.js'

/** Effects of a turn whose event may still be rejected. */
export class HeldEffects implements Effects {
  readonly #calls: ((effects: Effects) => void)[] = []

  trigger(name: string, at: number, data: unknown): void {
    this.#calls.push(effects => effects.trigger(name, at, data))
  }

  suppressed(name: string, reason: string, at: number): void {
    this.#calls.push(effects => effects.suppressed(name, reason, at))
  }

  segment(name: string, change: 'entered' | 'exited', at: number): void {
    this.#calls.push(effects => effects.segment(name, change, at))
  }

  failed(segment: string): void {
    this.#calls.push(effects => effects.failed(segment))
  }

  late(trait: string): void {
    this.#calls.push(effects => effects.late(trait))
  }

  /** In the order in which they came. */
  release(effects: Effects): void {
    for (const call of this.#calls) call(effects)
  }
}
