/** One text for one meaning: what two payloads are compared by when events have no id. */

/** Members to leave out, by name or place in a list: the whole member when its tree is empty, else some of its own. */
export type PathTree = ReadonlyMap<string, PathTree>

/** Turns `['sent_at', 'meta.trace']` into a tree of names. */
export function pathTree(paths: readonly string[]): PathTree {
  type Node = Map<string, Node>
  const root: Node = new Map()
  // Shorter ones first: of a member that is left out as a whole nothing more is to be said.
  const byLength = paths.map(path => path.split('.')).sort((a, b) => a.length - b.length)
  for (const names of byLength) {
    let node = root
    for (const [depth, name] of names.entries()) {
      const known = node.get(name)
      if (known?.size === 0) break
      const inner: Node = known ?? new Map()
      // Filled below, unless the path ends here.
      node.set(name, inner)
      node = inner
      if (depth === names.length - 1) inner.clear()
    }
  }
  return root
}

const nothing: PathTree = new Map()

/**
 * JSON with sorted member names and without the ignored ones. Members that are `undefined` are left out, so absent and
 * undefined are the same; what JSON lacks (BigInt, bytes, NaN, dates, maps, sets) gets a form that no JSON text has. What is ignored
 * below a list is so in each of its entries, unless it is named by its place.
 */
export function canonicalText(value: unknown, ignored = nothing): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  if (value instanceof Uint8Array)
    return `<${Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')}>`
  if (value instanceof Date) return `<date ${value.getTime()}>`
  if (value instanceof Map) return `<map ${canonicalText([...value])}>`
  if (value instanceof Set) return `<set ${canonicalText([...value])}>`
  if (Array.isArray(value)) {
    if (ignored.size === 0) return `[${value.map(entry => canonicalText(entry)).join(',')}]`
    const inEach = new Map([...ignored].filter(([name]) => !/^\d+$/.test(name)))
    const entries = value.flatMap((entry: unknown, place) => {
      const inThis = ignored.get(String(place))
      if (inThis?.size === 0) return []
      return [canonicalText(entry, inThis === undefined ? inEach : new Map([...inEach, ...inThis]))]
    })
    return `[${entries.join(',')}]`
  }
  const members: string[] = []
  for (const name of Object.keys(value).sort()) {
    const inner = (value as Record<string, unknown>)[name]
    const below = ignored.get(name)
    if (inner === undefined || below?.size === 0) continue
    members.push(`${JSON.stringify(name)}:${canonicalText(inner, below)}`)
  }
  return `{${members.join(',')}}`
}
