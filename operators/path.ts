/** Dot paths into a decoded value, such as `customer.id` or `items.0.sku`. */
import type { Problems } from '../engine/index.js'

/**
 * Compiles a path once. The reader returns `undefined` where the path leads nowhere, and sees own properties only: a path
 * such as `constructor.name` must not find what every object inherits.
 */
export function pathReader(path: string): (value: unknown) => unknown {
  const names = path.split('.')
  if (names.length > 1) return value => names.reduce(own, value)
  // Nearly every path is one name, read for every event.
  return value => own(value, path)
}

/** Says that `path`, the value of the option `option`, cannot lead anywhere. */
export function verifyPath(option: string, path: string, problems: Problems): void {
  if (path.split('.').includes('')) problems.add(option, 'must be names joined by single dots', path)
}

function own(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string, unknown>)[name]
}
