/**
 * The only place that reads a clock. `wallMs` is for comparing with broker timestamps; `monotonicMs` for ages, leases and
 * watchdogs, which must not jump when somebody sets the time.
 */
export interface Clock {
  /** Epoch milliseconds with a fraction. */
  wallMs(): number
  /** Milliseconds since an arbitrary start; never decreases. */
  monotonicMs(): number
}

/** `Date.now()` has whole milliseconds, too coarse for latencies below three; the performance clock drifts after time is set. */
class SystemClock implements Clock {
  #offset = performance.timeOrigin

  wallMs(): number {
    const fine = this.#offset + performance.now()
    const coarse = Date.now()
    if (fine - coarse > 2 || coarse - fine > 1) {
      this.#offset += coarse - fine
      return coarse
    }
    return fine
  }

  monotonicMs(): number {
    return performance.now()
  }
}

export const systemClock: Clock = new SystemClock()

/** A clock that moves when told, for tests and the test driver. */
export class ManualClock implements Clock {
  constructor(private nowMs = 1_700_000_000_000) {}
  wallMs(): number {
    return this.nowMs
  }
  monotonicMs(): number {
    return this.nowMs
  }
  advance(ms: number): void {
    this.nowMs += ms
  }
}
