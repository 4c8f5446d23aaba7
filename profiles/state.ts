import type { ProfileState } from '../engine/index.js'

/**
 * A decoded profile. `slots` are plain data exactly as stored: the traits' states, then for each segment the time it was
 * entered or 0, then the triggers' states, in the order of the layout.
 */
export class State implements ProfileState {
  /** Last event that was folded in; 0 when there was none. */
  lastSeq = 0
  /** The partition's time at the last event; 0 when there was none. */
  updatedAt = 0
  dueAt = Infinity
  storedBytes = 0
  /** At least the size of the stored form as it is now. */
  boundBytes = 0
  /** False until every predicate has been evaluated on this copy: only then is it known which traits each looks at. */
  isEvaluated = false

  constructor(
    readonly key: string,
    readonly loadedSeq: number,
    public slots: unknown[],
    /** Event time at which each trait last changed; 0 when it never did. */
    public changedAt: number[],
  ) {}
}
