/** Where an event of a file goes: subject, message id and headers out of its fields. */
import { subjectToken } from '../nats/partitioning.js'

export interface Addressing {
  /** First token of the subjects, `events`. */
  readonly root: string
  readonly source: string
  /** One type for all events, or where it stands in each. */
  readonly type: { readonly fixed: string } | { readonly path: string }
  readonly keyPath: string
  /** Without one the broker cannot recognize an event that is published again. */
  readonly idPath: string | undefined
  /** Names and values in turn, for every event. */
  readonly headers: readonly string[]
}

export interface Address {
  readonly subject: string
  readonly id: string | undefined
  /** Headers, the id among them: names and values in turn. */
  readonly fields: readonly string[]
}

/** Types and sources are also tokens of stored subjects and names in definitions, so they are not encoded. */
export const tokenRule = /^[A-Za-z0-9_-]{1,128}$/

/** The address, or what is wrong with the event. */
export function addressOf(value: unknown, addressing: Addressing): Address | { readonly problem: string } {
  const { root, source, type, keyPath, idPath, headers } = addressing
  const key = textAt(value, keyPath)
  if (key === undefined) return { problem: `has no key at ${keyPath}` }
  const name = 'fixed' in type ? type.fixed : textAt(value, type.path)
  if (name === undefined) return { problem: `has no type at ${'path' in type ? type.path : ''}` }
  if (!tokenRule.test(name)) return { problem: 'has a type that is not 1 to 128 letters, digits, "_" or "-"' }
  const id = idPath === undefined ? undefined : textAt(value, idPath)
  if (idPath !== undefined && id === undefined) return { problem: `has no id at ${idPath}` }
  if (id !== undefined && /\p{Cc}/u.test(id)) return { problem: 'has an id with control characters' }
  return {
    subject: `${root}.${source}.${name}.${subjectToken(key)}`,
    id,
    fields: id === undefined ? headers : [...headers, 'Nats-Msg-Id', id],
  }
}

/** Text or number at a path such as `sender.login`; `undefined` when there is neither. */
function textAt(value: unknown, path: string): string | undefined {
  let at = value
  for (const name of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Record<string, unknown>)[name]
  }
  const text = typeof at === 'number' ? String(at) : at
  return typeof text === 'string' && text !== '' ? text : undefined
}

/** `Name: value` to name and value; `undefined` for anything else. */
export function parseHeader(written: string): [name: string, value: string] | undefined {
  // A token of RFC 9110, and a value that ends where the line would.
  const match = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([^\r\n]*)$/.exec(written)
  return match === null ? undefined : [match[1]!, match[2]!]
}
