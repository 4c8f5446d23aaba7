/**
 * The contract between a stage's author and the engine.
 *
 * `defineOperator` takes a declaration and returns a function that users call in `stages: [...]`. The author writes
 * `process`; the engine counts, times, logs, retries and dead-letters around it. `process` is synchronous, deterministic in
 * (memory, event) and does not edit its input. An operator that needs I/O adds `prepare`, which the engine awaits once per
 * batch, with a timeout and retries, before the first `process` of that batch.
 */
import type { Event } from './event.js'
import type { Drop, Reject } from './outcome.js'
import { type OptionValues, type OptionSpecs, type OptionInputs, parseOptions } from './options.js'
import { Problems } from './problems.js'

/** One event on, several (they keep the position of their parent), or none with a reason. */
export type Outcome = Event | readonly Event[] | Drop | Reject

/** Set of 64-bit hashes remembered for a window of broker time; part of the partition's committed state. */
export interface HashMemory {
  /** True when the hash was added within the window before `now`; otherwise adds it. Halves are unsigned 32-bit. */
  checkAndAdd(low: number, high: number, now: number): boolean
}

export interface StageContext {
  /** Broker's time of the event being processed, epoch milliseconds, never decreasing within a partition. */
  readonly now: number
  /** Only for operators that declare `memory`; `undefined` for others. */
  readonly memory: HashMemory | undefined
}

/** One running stage. It is shared by all partitions of the process, so per-partition state lives in `context.memory`. */
export interface Stage {
  process(event: Event, context: StageContext): Outcome
  /** Loads what `process` will need for these events. Throwing means "dependency down": the engine retries the batch. */
  prepare?(batch: readonly Event[], signal: AbortSignal): Promise<void>
  close?(): Promise<void> | void
}

export interface StageSetup {
  /** Folder of the pipeline's file; relative paths in options start here. */
  readonly folder: string
  /** Says something worth an operator's attention (a table was reloaded, a reload failed). Never per event. */
  readonly notice: (level: 'info' | 'warn', fields: Record<string, unknown>, sentence: string) => void
}

export interface OperatorDeclaration<Specs extends OptionSpecs> {
  /** A verb, `lower_snake`. */
  readonly name: string
  /** One sentence for the operator table. */
  readonly summary: string
  readonly options: Specs
  /** Reasons it may drop for. */
  readonly drops?: readonly string[]
  /** Reasons it may reject for. */
  readonly rejects?: readonly string[]
  /** What it costs: time per event, memory, guarantees. For the operator table. */
  readonly cost: string
  /** Asks for a `HashMemory` of this window in `context.memory`. */
  readonly memory?: (options: OptionValues<Specs>) => { readonly windowMs: number }
  /** Cross-option rules; says each problem through `problems.add`. */
  readonly verify?: (options: OptionValues<Specs>, problems: Problems) => void
  readonly create: (options: OptionValues<Specs>, setup: StageSetup) => Stage | Promise<Stage>
}

/** An operator at its place in a pipeline, options parsed, not started. */
export interface StageDefinition {
  readonly operator: string
  /** Unique within the pipeline, which `pipeline` checks; label of metrics and token of dead-letter subjects. */
  readonly name: string
  /** Options as they are written, for the definition's hash. */
  readonly fingerprint: string
  readonly problems: readonly string[]
  readonly drops: readonly string[]
  readonly rejects: readonly string[]
  readonly memory: { readonly windowMs: number } | undefined
  readonly start: (setup: StageSetup) => Promise<Stage>
}

/** Callable in a pipeline: `dropLate({ maxAge: '2h' })`, or with a name of its own: `dropLate({ ... }, 'drop_very_late')`. */
export interface Operator<Specs extends OptionSpecs = OptionSpecs> {
  (options?: OptionInputs<Specs>, name?: string): StageDefinition
  readonly declaration: OperatorDeclaration<Specs>
}

/**
 * Declares an operator. Options are parsed when the operator is called, but problems are kept in the returned definition, so
 * that a pipeline with several mistakes reports all of them at once.
 */
export function defineOperator<const Specs extends OptionSpecs>(
  declaration: OperatorDeclaration<Specs>,
): Operator<Specs> {
  const call = (input: unknown = {}, name: string = declaration.name): StageDefinition => {
    const problems = new Problems()
    if (!/^[a-z][a-z0-9_]*$/.test(name)) problems.add('name', 'must be lower_snake', name)
    const options = parseOptions(declaration.options, input, problems)
    if (problems.isEmpty) declaration.verify?.(options, problems)
    return {
      operator: declaration.name,
      name,
      fingerprint: `${declaration.name}(${fingerprint(input)})`,
      problems: problems.list,
      drops: declaration.drops ?? [],
      rejects: declaration.rejects ?? [],
      memory: problems.isEmpty ? declaration.memory?.(options) : undefined,
      start: async setup => declaration.create(options, setup),
    }
  }
  return Object.assign(call as Operator<Specs>, { declaration })
}

/** Functions and patterns count by their source text: an edited predicate is a changed definition. */
function fingerprint(input: unknown): string {
  const isSource = (value: unknown): boolean => typeof value === 'function' || value instanceof RegExp
  return JSON.stringify(input, (_key, value: unknown) => (isSource(value) ? String(value) : value)) ?? ''
}
