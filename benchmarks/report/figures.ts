/**
 * Figures out of saved results, which an older version may have written: what is not there, or is not a number, is `undefined`
 * and never turns into a figure.
 */

/** Follows names from object to object: `at(result, 'latencyMs', 'p99')`. */
function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined
    found = (found as Readonly<Record<string, unknown>>)[name]
  }
  return found
}

export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path)
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined
}

export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path)
  return typeof found === 'string' && found !== '' ? found : undefined
}

export function objectAt(value: unknown, ...path: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const found = at(value, ...path)
  return typeof found === 'object' && found !== null && !Array.isArray(found)
    ? (found as Readonly<Record<string, unknown>>)
    : undefined
}

/** Empty when there is no list. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? found : []
}

/** Name and value of each property, empty when there is no object. */
export function entriesAt(value: unknown, ...path: readonly string[]): readonly (readonly [string, unknown])[] {
  return Object.entries(objectAt(value, ...path) ?? {})
}

/** Least and most of a list of numbers. */
export function rangeAt(value: unknown, ...path: readonly string[]): readonly [number, number] | undefined {
  const numbers = listAt(value, ...path).filter(entry => typeof entry === 'number')
  return numbers.length === 0 ? undefined : [Math.min(...numbers), Math.max(...numbers)]
}
