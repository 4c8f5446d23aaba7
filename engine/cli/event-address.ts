/** Where an event of a file goes: subject, message id and headers out of its fields. */
import { loneSurrogate } from '../event.js'
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

interface Problem {
  readonly problem: string
}

/** The address, or what is wrong with the event. */
export function addressOf(value: unknown, addressing: Addressing): Address | Problem {
  const { root, source, type, keyPath, idPath, headers } = addressing
  const key = textAt(value, keyPath, 'key')
  if (typeof key === 'object') return key
  const name = 'fixed' in type ? type.fixed : textAt(value, type.path, 'type')
  if (typeof name === 'object') return name
  if (!tokenRule.test(name)) return { problem: 'has a type that is not 1 to 128 letters, digits, "_" or "-"' }
  const id = idPath === undefined ? undefined : textAt(value, idPath, 'id')
  if (typeof id === 'object') return id
  if (id !== undefined && /\p{Cc}/u.test(id)) return { problem: 'has an id with control characters' }
  return {
    subject: `${root}.${source}.${name}.${subjectToken(key)}`,
    id,
    fields: id === undefined ? headers : [...headers, 'Nats-Msg-Id', id],
  }
}

/** Text or number at a path such as `sender.login`; a problem when there is neither. */
function textAt(value: unknown, path: string, what: 'key' | 'type' | 'id'): string | Problem {
  const found = path.split('.').reduce(own, value)
  // Parsing has rounded it, perhaps to what another event has.
  if (typeof found === 'number' && Math.abs(found) > Number.MAX_SAFE_INTEGER) {
    return { problem: `has a number beyond 2^53 as ${what} at ${path}; it must be text` }
  }
  const text = typeof found === 'number' ? String(found) : found
  if (typeof text !== 'string' || text === '') return { problem: `has no ${what} at ${path}` }
  return loneSurrogate.test(text) ? { problem: `has a lone surrogate in the ${what} at ${path}` } : text
}

function own(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string, unknown>)[name]
}

/** `Name: value` to name and value; `undefined` for anything else. */
export function parseHeader(written: string): [name: string, value: string] | undefined {
  // A token of RFC 9110, and a value that ends where the line would.
  const match = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([^\r\n]*)$/.exec(written)
  return match === null ? undefined : [match[1]!, match[2]!]
}
