import { TraitSet } from './trait-set.js'
import type { Turn } from './turn.js'

/** What a condition says; `failed` when the user's function threw and no event is to blame. */
export type Verdict = 'holds' | 'fails' | 'failed'

/**
 * How many moments a condition looks ahead for the one at which time alone turns it. Without looking ahead, every event in a
 * window would arm a timer for the moment it leaves, although most conditions stay as they are then.
 */
const lookAhead = 8

/** A user's condition over a snapshot. It knows when it has to be asked again. */
export class Condition {
  /** Every trait it has ever read, in any profile: an event that touches none of them cannot change its verdict. */
  readonly #everRead: TraitSet
  #error: unknown

  constructor(
    private readonly test: (p: never) => unknown,
    traitCount: number,
  ) {
    this.#everRead = new TraitSet(traitCount)
  }

  /** False when its verdict is surely the one of the profile's previous turn. */
  mayHaveTurned({ state, touched }: Turn): boolean {
    return touched === undefined || !state.isEvaluated || this.#everRead.intersects(touched)
  }

  /**
   * The verdict now; also asks to be looked at again at the moment at which time alone turns it, or at the last of the moments
   * it looked ahead to. When the user's function throws, the event is to blame only if it touched what the function has read.
   * This matters because a profile that was just loaded is asked without need, and must fare like one that was in memory.
   */
  judge(turn: Turn): Verdict {
    const verdict = this.#ask(turn)
    if (verdict === 'failed' && turn.touched !== undefined && turn.snapshot.reads.intersects(turn.touched))
      throw this.#error
    turn.lookAgainAt(this.#turnsAt(turn, verdict))
    return verdict
  }

  #turnsAt(turn: Turn, verdict: Verdict): number {
    const { snapshot, state } = turn
    let at = turn.at
    for (let moment = 0; moment < lookAhead; moment++) {
      at = snapshot.nextChange()
      if (at === Infinity) break
      snapshot.show(state, at)
      if (this.#ask(turn) !== verdict) break
    }
    snapshot.show(state, turn.at)
    return at
  }

  #ask({ snapshot }: Turn): Verdict {
    snapshot.forgetReads()
    let verdict: Verdict
    try {
      verdict = this.test(snapshot.traits as never) ? 'holds' : 'fails'
    } catch (error) {
      this.#error = error
      verdict = 'failed'
    }
    this.#everRead.addAll(snapshot.reads)
    return verdict
  }
}
