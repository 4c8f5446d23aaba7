/**
 * What may be written of a value. Errors of drivers carry more than their text: those of ioredis the arguments of the failed
 * command, which are profiles, and some texts quote what they failed on. So an error is described by an allow-list.
 */

const maxDepth = 4
const maxTextLength = 2000
const maxFrames = 12

/** Fields with every error described and every byte array replaced by its size. */
export function loggable(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value, 0)]))
}

function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.slice(0, maxTextLength)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return describeError(value, depth)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  // Also where a cycle ends.
  if (depth >= maxDepth) return '[nested too deep]'
  if (Array.isArray(value)) return value.map(entry => plain(entry, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, plain(entry, depth + 1)]))
}

export interface ErrorDescription {
  readonly name: string
  readonly message: string
  readonly code?: string
  /** Where it was thrown; without the text, which the first lines of a stack repeat. */
  readonly stack: readonly string[]
  readonly cause?: unknown
  /** Of an error that stands for several, such as a failed connection to a name with two addresses. */
  readonly errors?: readonly unknown[]
}

/** Name, text, code, stack and causes of an error; nothing else of it. */
export function describeError(error: Error, depth = 0): ErrorDescription {
  const { code } = error as NodeJS.ErrnoException
  const described = {
    name: error.name,
    message: withoutQuotes(error.message).slice(0, maxTextLength),
    ...(typeof code === 'string' ? { code } : {}),
    stack: frames(error.stack),
  }
  if (depth >= maxDepth) return described
  return {
    ...described,
    ...(error.cause === undefined ? {} : { cause: describeCause(error.cause, depth + 1) }),
    ...(error instanceof AggregateError ? { errors: error.errors.map(one => describeCause(one, depth + 1)) } : {}),
  }
}

/** Anything can be thrown, an event too; what is not an error is only named. */
function describeCause(cause: unknown, depth: number): unknown {
  return cause instanceof Error ? describeError(cause, depth) : `[${typeof cause}]`
}

function frames(stack: string | undefined): string[] {
  const lines = (stack ?? '').split('\n').filter(line => /^\s+at /.test(line))
  return lines.slice(0, maxFrames).map(line => line.trim())
}

/** Texts of Redis and of `JSON.parse` repeat a piece of the input. */
function withoutQuotes(message: string): string {
  return message
    .replace(/,? with args beginning with:.*/s, ', with args [left out]')
    .replace(/(?:Unexpected token|").*is not valid JSON/s, 'the text [left out] is not valid JSON')
}
