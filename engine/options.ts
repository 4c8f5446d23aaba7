/**
 * Options declared once: the declaration parses, validates and documents. Used by operators and by the configuration file.
 *
 * An option is made by one of the kinds below (`duration`, `text`, `whole`, `flag`, `oneOf`, `bytes`, `texts`, `textMap`, `secret`,
 * `group`, `fn`, `anything`).
 * `fallback` makes it optional; `optional: true` makes it optional without one.
 */
import type { Problems } from './problems.js'

export interface OptionSpec<Value = unknown, Input = unknown, IsOptional extends boolean = boolean> {
  readonly doc: string
  /** What may be written, for documents and error texts: `duration`, `text`, `one of "a", "b"`. */
  readonly kind: string
  readonly isOptional: IsOptional
  /** As a person would write it; `undefined` when there is none. */
  readonly fallback: unknown
  /** True for values that must not be shown. */
  readonly isSecret?: boolean
  /** Nested declaration, when the option is a group. */
  readonly group?: OptionSpecs
  parse(input: unknown, problems: Problems, path: string): Value | undefined
  /** Type-level only. */
  readonly __input?: Input
}

export type OptionSpecs = { readonly [name: string]: OptionSpec }

export type OptionValues<Specs extends OptionSpecs> = {
  readonly [Name in keyof Specs]: Specs[Name] extends OptionSpec<infer Value, unknown, boolean> ? Value : never
}

type OptionalNames<Specs extends OptionSpecs> = {
  [Name in keyof Specs]: Specs[Name]['isOptional'] extends true ? Name : never
}[keyof Specs]

type InputOf<Spec> = Spec extends OptionSpec<unknown, infer Input, boolean> ? Input : never

/** What a user writes: options without a fallback are required. */
export type OptionInputs<Specs extends OptionSpecs> = {
  readonly [Name in Exclude<keyof Specs, OptionalNames<Specs>>]: InputOf<Specs[Name]>
} & { readonly [Name in OptionalNames<Specs>]?: InputOf<Specs[Name]> | undefined }

/** Parses every option, says every problem, including unknown names. Values are meaningless when problems were added. */
export function parseOptions<Specs extends OptionSpecs>(
  specs: Specs,
  input: unknown,
  problems: Problems,
): OptionValues<Specs> {
  const values: Record<string, unknown> = {}
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    problems.add('options', 'must be an object', input)
    return values as OptionValues<Specs>
  }
  const given = input as Record<string, unknown>
  problems.addUnknown(given, Object.keys(specs))
  for (const [name, spec] of Object.entries(specs)) {
    const value = given[name] ?? spec.fallback
    if (value === undefined || value === null) {
      if (spec.group !== undefined) values[name] = spec.parse({}, problems, name)
      else if (!spec.isOptional) problems.add(name, `is required: ${spec.kind}`)
      continue
    }
    values[name] = spec.parse(value, problems, name)
  }
  return values as OptionValues<Specs>
}

/** What every kind takes. */
interface Common<Fallback> {
  readonly doc: string
  readonly fallback?: Fallback
  readonly optional?: boolean
}

type IsOptional<Given> = Given extends { fallback: unknown } ? true : Given extends { optional: true } ? true : false
type ValueOf<Value, Given> = Given extends { optional: true } ? Value | undefined : Value

/** Builds a kind out of a test that returns the parsed value or `undefined`. */
function kindOf<Value, Input>(kind: string, rule: string, read: (input: unknown) => Value | undefined) {
  return <const Given extends Common<Input>>(
    given: Given,
  ): OptionSpec<ValueOf<Value, Given>, Input, IsOptional<Given>> => ({
    doc: given.doc,
    kind,
    isOptional: ('fallback' in given || given.optional === true) as IsOptional<Given>,
    fallback: given.fallback,
    parse: (input, problems, path) => {
      const value = read(input)
      if (value === undefined) problems.add(path, rule, input)
      return value as ValueOf<Value, Given>
    },
  })
}

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** Milliseconds of `"250ms"`, `"10s"`, `"10m"`, `"1h"`, `"30d"`, `"2w"`; `undefined` when it is not a duration. */
export function parseDuration(input: unknown): number | undefined {
  if (typeof input !== 'string') return undefined
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(input)
  if (match === null) return undefined
  return Math.round(Number(match[1]) * unitMs[match[2]!]!)
}

/** The same, for code that takes durations outside of a declaration. Throws a `TypeError` that names the place. */
export function durationMs(input: string, place: string): number {
  const ms = parseDuration(input)
  if (ms === undefined) throw new TypeError(`${place} must be a duration such as "10m", got ${JSON.stringify(input)}`)
  return ms
}

/**
 * The most that something may be that is waited for: Node's timers take 2^31-1 ms, 24.8 days, and fire at once above. The rest is for
 * what is added on the way.
 */
export const longestWait = '24d'

/** `max` as a duration too. */
export function duration<const Given extends Common<string> & { readonly max?: string }>(
  given: Given,
): OptionSpec<ValueOf<number, Given>, string, IsOptional<Given>> {
  const { max } = given
  const rule = 'must be a duration such as "10m"'
  if (max === undefined) return kindOf<number, string>('duration', rule, parseDuration)(given)
  const maxMs = durationMs(max, 'max')
  return kindOf<number, string>(`duration up to ${max}`, `${rule}, at most "${max}"`, input => {
    const ms = parseDuration(input)
    return ms === undefined || ms > maxMs ? undefined : ms
  })(given)
}

const unitBytes: Record<string, number> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }

/** Bytes of a whole number or of `"64KB"`, `"1MB"`, `"2GB"` (powers of 1024). */
export function parseBytes(input: unknown): number | undefined {
  if (Number.isSafeInteger(input) && (input as number) >= 0) return input as number
  if (typeof input !== 'string') return undefined
  const match = /^(\d+(?:\.\d+)?)(B|KB|MB|GB)$/.exec(input)
  return match === null ? undefined : Math.round(Number(match[1]) * unitBytes[match[2]!]!)
}

export const bytes = kindOf<number, string | number>('size', 'must be a size such as "64KB"', parseBytes)

export const text = kindOf<string, string>('text', 'must be text that is not empty', input =>
  typeof input === 'string' && input !== '' ? input : undefined,
)

export const flag = kindOf<boolean, boolean>('true or false', 'must be true or false', input =>
  typeof input === 'boolean' ? input : input === 'true' ? true : input === 'false' ? false : undefined,
)

/** A value that needs no checking here; the operator's `verify` does it. */
export const anything = kindOf<unknown, unknown>('any value', 'must be given', input => input)

/** A function of the user's definition. Only in TypeScript definitions, never in a configuration file. */
export function fn<F extends (...args: never[]) => unknown>() {
  return kindOf<F, F>('function', 'must be a function', input =>
    typeof input === 'function' ? (input as F) : undefined,
  )
}

export function whole<const Given extends Common<number> & { readonly min?: number; readonly max?: number }>(
  given: Given,
): OptionSpec<ValueOf<number, Given>, number, IsOptional<Given>> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = given
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`
  return kindOf<number, number>(`whole number ${range}`, `must be a whole number ${range}`, input => {
    const value = typeof input === 'string' && /^\d+$/.test(input) ? Number(input) : input
    return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? (value as number)
      : undefined
  })(given) as OptionSpec<ValueOf<number, Given>, number, IsOptional<Given>>
}

export function oneOf<
  const Choice extends string,
  const Given extends Common<Choice> & { readonly of: readonly Choice[] },
>(
  given: Given & { readonly of: readonly Choice[] },
): OptionSpec<ValueOf<Given['of'][number], Given>, Given['of'][number], IsOptional<Given>> {
  const choices = given.of.map(choice => JSON.stringify(choice)).join(', ')
  return kindOf<Choice, Choice>(`one of ${choices}`, `must be one of ${choices}`, input =>
    given.of.includes(input as Choice) ? (input as Choice) : undefined,
  )(given) as never
}

/** A list of text; one text alone and, from the environment, text with commas are taken as a list too. */
export const texts = kindOf<readonly string[], string | readonly string[]>(
  'list of text',
  'must be a list of text',
  input => {
    const list = typeof input === 'string' ? input.split(',').map(part => part.trim()) : input
    if (!Array.isArray(list) || list.length === 0) return undefined
    return list.every(entry => typeof entry === 'string' && entry !== '') ? (list as string[]) : undefined
  },
)

/** Text to text, such as `{ EUR: 'euro' }`. */
export const textMap = kindOf<Readonly<Record<string, string>>, Readonly<Record<string, string>>>(
  'map of text to text',
  'must be an object of text values',
  input =>
    typeof input === 'object' && input !== null && Object.values(input).every(value => typeof value === 'string')
      ? (input as Record<string, string>)
      : undefined,
)

/** Text that never appears in errors, logs or documents. */
export function secret<const Given extends Common<string>>(
  given: Given,
): OptionSpec<ValueOf<string, Given>, string, IsOptional<Given>> {
  return {
    ...text(given),
    kind: 'secret',
    isSecret: true,
    parse: (input, problems, path) => {
      if (typeof input === 'string' && input !== '') return input as ValueOf<string, Given>
      problems.add(path, 'must be text that is not empty')
      return undefined
    },
  } as OptionSpec<ValueOf<string, Given>, string, IsOptional<Given>>
}

/** Options below a common name. */
export function group<const Specs extends OptionSpecs>(
  doc: string,
  specs: Specs,
): OptionSpec<OptionValues<Specs>, OptionInputs<Specs>, true> {
  return {
    doc,
    kind: 'group',
    isOptional: true,
    fallback: undefined,
    group: specs,
    parse: (input, problems, path) => parseOptions(specs, input, problems.at(path)),
  }
}
