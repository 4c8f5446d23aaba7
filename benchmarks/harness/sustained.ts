/** The highest rate at which a contender keeps up, found by trying. */

/** What one try at a rate showed. */
export interface Trial {
  /** The lag did not grow over the measured window after a warm-up. */
  readonly isSustained: boolean
  /** Events a second that were worked off, whatever was sent. */
  readonly doneRate: number
  /** False ends the search: what was sent could not be worked off, so the next trial would begin with a backlog. */
  readonly isFinished: boolean
}

export interface SearchBounds {
  /** The first rate to try, events a second. */
  readonly from: number
  readonly most: number
  /** Trials cost seconds each. */
  readonly trials: number
}

/** Between these two lies the highest rate, events a second. */
export interface SustainedRange {
  /** The highest that was sustained, 0 when none was. */
  readonly sustained: number
  /** The lowest that was not; absent when none was too high. */
  readonly notSustained: number | undefined
}

/** The interval is narrow enough when its ends differ by this factor. */
const closeEnough = 1.1

/**
 * Doubles until a rate is too high and halves the interval then, on a logarithmic scale; what was worked off under too high a
 * rate is a better guess than the middle.
 */
export async function sustainedRate(
  tryRate: (rate: number) => Promise<Trial>,
  { from, most, trials }: SearchBounds,
): Promise<SustainedRange> {
  let [good, bad] = [0, Infinity]
  let rate = Math.min(from, most)
  for (let trial = 0; trial < trials && bad / good > closeEnough && good < most; trial++) {
    const { isSustained, doneRate, isFinished } = await tryRate(rate)
    if (isSustained) good = rate
    else bad = rate
    if (!isFinished) break
    rate = Math.round(nextRate(good, bad, isSustained ? undefined : doneRate, most))
  }
  return { sustained: good, notSustained: bad === Infinity ? undefined : bad }
}

function nextRate(good: number, bad: number, doneRate: number | undefined, most: number): number {
  if (bad === Infinity) return Math.min(good * 2, most)
  // A little less than was done, so that it has a chance of being sustained.
  const guess = (doneRate ?? 0) * 0.95
  if (guess > good * closeEnough && guess < bad) return guess
  return good === 0 ? bad / 2 : Math.sqrt(good * bad)
}
