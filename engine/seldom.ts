/** For what would be said again and again while a server is away. */

/** Calls that follow one that came through within `everyMs` are left out. */
export function seldom<Given extends unknown[]>(everyMs: number, say: (...given: Given) => void) {
  let nextAt = -Infinity
  return (...given: Given): void => {
    const now = performance.now()
    if (now < nextAt) return
    nextAt = now + everyMs
    say(...given)
  }
}
