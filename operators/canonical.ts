/** One text for one meaning: what two payloads are compared by when events have no id. */

/** Members to leave out, by name: the whole member when its tree is empty, else some of its own. */
export type PathTree = ReadonlyMap<string, PathTree>

/** Turns `['sent_at', 'meta.trace']` into a tree of names. */
export function pathTree(paths: readonly string[]): PathTree {
  type Node = Map<string, Node>
  const root: Node = new Map()
  for (const path of paths) {
    let node = root
    for (const name of path.split('.')) {
      const inner = node.get(name) ?? new Map<string, Node>()
      node.set(name, inner)
      node = inner
    }
  }
  return root
}

const nothing: PathTree = new Map()

/**
 * JSON with sorted member names and without the ignored ones. Members that are `undefined` are left out, so absent and
 * undefined are the same; what JSON lacks (BigInt, bytes, NaN) gets a form that no JSON text has.
 */
export function canonicalText(value: unknown, ignored = nothing): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  if (value instanceof Uint8Array)
    return `<${Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')}>`
  if (Array.isArray(value)) return `[${value.map(entry => canonicalText(entry)).join(',')}]`
  const members: string[] = []
  for (const name of Object.keys(value).sort()) {
    const inner = (value as Record<string, unknown>)[name]
    const below = ignored.get(name)
    if (inner === undefined || below?.size === 0) continue
    members.push(`${JSON.stringify(name)}:${canonicalText(inner, below)}`)
  }
  return `{${members.join(',')}}`
}
