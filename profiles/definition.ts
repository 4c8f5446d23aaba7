/**
 * A profile as its author defines it: traits first, then segments and triggers by statements. Nothing is computed here, only
 * checked; `Model` runs it. Mistakes are collected, never thrown, so that `millrace check` says all of them at once.
 */
import { MillraceError, parseBytes, parseDuration, Problems, type ProfileDefinition } from '../engine/index.js'
import { Model } from './model.js'
import { checkFunction, checkName, checkTypes, isName, type EventType } from './names.js'
import type { SegmentSpec, TraitPlace } from './spec.js'
import { Trait } from './trait.js'
import { checkTrigger, type TriggerOptions, type TriggerSpec } from './trigger-options.js'

export interface ProfileOptions<Traits> {
  /** A profile is forgotten this long after its last event, such as `'180d'`. Default: never. */
  readonly ttl?: string
  /** An event that would grow its profile past this is dead-lettered. Default `'64KB'`. */
  readonly maxBytes?: string | number
  readonly traits: Traits
}

/** What conditions and `emit` see. */
export type SnapshotOf<Traits> = {
  readonly [Name in keyof Traits]: Traits[Name] extends Trait<infer Value> ? Value : never
}

/** A profile under definition. Made by the `profile` of a vocabulary. */
export class Profile<Events, Traits extends Record<string, Trait>> implements ProfileDefinition {
  readonly #problems = new Problems()
  readonly #options: ProfileOptions<Traits>
  readonly #traits: readonly TraitPlace[]
  readonly #ttlMs: number | undefined
  readonly #segments: SegmentSpec[] = []
  readonly #triggers: TriggerSpec[] = []
  #isInUse = false

  constructor(
    readonly name: string,
    options: ProfileOptions<Traits> = {} as ProfileOptions<Traits>,
  ) {
    this.#options = options
    checkName(this.#problems, 'name', name)
    this.#problems.addUnknown(options, ['ttl', 'maxBytes', 'traits'])
    this.#ttlMs = options.ttl === undefined ? undefined : parseDuration(options.ttl)
    if (options.ttl !== undefined && !this.#ttlMs)
      this.#problems.add('ttl', 'must be a duration such as "10m"', options.ttl)
    if (!parseBytes(options.maxBytes ?? 1))
      this.#problems.add('maxBytes', 'must be a size such as "64KB"', options.maxBytes)
    this.#traits = Object.entries(options.traits ?? {}).flatMap(([trait, value]) => this.#checkTrait(trait, value))
  }

  /** A named condition; entering and leaving it is published. */
  segment(name: string, test: (p: SnapshotOf<Traits>) => boolean): this {
    this.#open()
    const problems = this.#place('segments', name, this.#segments)
    checkFunction(problems, '', test)
    this.#segments.push({ name, test })
    return this
  }

  /** A named decision, published when it fires. */
  trigger<On extends EventType<Events> = never, Unless extends EventType<Events> = never>(
    name: string,
    options: TriggerOptions<Events, SnapshotOf<Traits>, On, Unless>,
  ): this {
    this.#open()
    const problems = this.#place('triggers', name, this.#triggers)
    this.#triggers.push(checkTrigger(name, (options ?? {}) as never, this.#ttlMs, problems))
    return this
  }

  get problems(): readonly string[] {
    this.#isInUse = true
    return this.#problems.list
  }

  /** Everything that decides results, as text: functions count by their source. */
  get fingerprint(): string {
    this.#isInUse = true
    const { ttl, maxBytes } = this.#options
    const traits = this.#traits.map(({ name, trait: { spec } }) => [
      name,
      spec.call,
      spec.types,
      String(spec.select),
      spec.window,
      String(spec.where),
    ])
    const segments = this.#segments.map(({ name, test }) => [name, String(test)])
    return JSON.stringify([this.name, ttl, maxBytes, traits, segments, this.#triggers.map(spec => spec.fingerprint)])
  }

  model(): Model {
    if (this.problems.length > 0) {
      throw new MillraceError('pipeline_invalid', `profile ${this.name} has problems`, { lines: this.problems })
    }
    return new Model({
      name: this.name,
      ttlMs: this.#ttlMs,
      maxBytes: parseBytes(this.#options.maxBytes ?? '64KB')!,
      traits: this.#traits,
      segments: this.#segments,
      triggers: this.#triggers,
    })
  }

  /** What is added after a pipeline has taken the definition would be missing from its hash. */
  #open(): void {
    if (!this.#isInUse) return
    throw new MillraceError(
      'pipeline_invalid',
      `profile ${this.name} is in use: define segments and triggers before the pipeline`,
    )
  }

  /** Where the problems of the next segment or trigger are said; its name is checked. */
  #place(list: 'segments' | 'triggers', name: string, taken: readonly { readonly name: string }[]): Problems {
    const problems = this.#problems.at(isName(name) ? `${list}.${name}` : `${list}[${taken.length}]`)
    checkName(problems, '', name)
    if (taken.some(other => other.name === name)) problems.add('', 'is defined twice')
    return problems
  }

  /** No place when it is not even a trait. */
  #checkTrait(name: string, trait: Trait): TraitPlace[] {
    const problems = this.#problems.at(`traits.${name}`)
    checkName(problems, '', name)
    if (!(trait instanceof Trait)) {
      problems.add('', 'must be a trait such as count("signed_up")', trait)
      return []
    }
    const { types, selects, select, where, problem, window } = trait.spec
    if (problem !== undefined) problems.add('', problem.rule, problem.got)
    checkTypes(problems, '', types)
    if (selects) checkFunction(problems, '', select)
    if (where !== undefined) checkFunction(problems, 'where', where)
    const windowMs = window === undefined ? undefined : parseDuration(window)
    if (window !== undefined && !windowMs) problems.add('within', 'must be a duration such as "10m"', window)
    return [{ name, trait, windowMs }]
  }
}
