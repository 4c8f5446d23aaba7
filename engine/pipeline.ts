/**
 * A pipeline: which events, through which stages, into which profile. This file only checks and holds the definition;
 * `engine.ts` runs it.
 */
import { createHash } from 'node:crypto'
import type { ProfileModel } from './model.js'
import type { StageDefinition } from './operator.js'
import { parseDuration } from './options.js'
import { profileStage } from './outcome.js'
import { Problems } from './problems.js'

/** What `profile(...)` of `profiles/` gives to a pipeline. */
export interface ProfileDefinition {
  readonly problems: readonly string[]
  /** Everything that decides results: names, options, source text of functions. */
  readonly fingerprint: string
  /** Only when there are no problems. */
  model(): ProfileModel
}

export interface PipelineOptions {
  /** Token-safe; part of every Redis key: another one starts anew, and needs output streams of its own. */
  readonly name: string
  /** Slices of the stream, fixed when the pipeline is created. Default 16. */
  readonly partitions?: number
  readonly stages: readonly StageDefinition[]
  readonly profile: ProfileDefinition
  /** An event may say it happened this much after the broker received it; it is then taken as just received. Default `5m`. */
  readonly maxAhead?: string
}

export interface Pipeline {
  readonly name: string
  readonly partitions: number
  readonly stages: readonly StageDefinition[]
  readonly profile: ProfileDefinition
  readonly maxAheadMs: number
  /** Hash of the definition, 16 hex digits. */
  readonly hash: string
  readonly problems: readonly string[]
}

/** At most this many partitions: each costs a consumer, a connection share and a meta key. */
export const maxPartitions = 1024

const optionNames = ['name', 'partitions', 'stages', 'profile', 'maxAhead'] as const satisfies (keyof PipelineOptions)[]

/** Never throws: problems are kept, so that `millrace check` can say all of them. */
export function pipeline(options: PipelineOptions): Pipeline {
  const problems = new Problems()
  const { name, partitions = 16, maxAhead = '5m' } = options
  problems.addUnknown(options, optionNames)
  if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    problems.add('name', 'must be 1 to 64 letters, digits, "_" or "-"', name)
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > maxPartitions) {
    problems.add('partitions', `must be a whole number from 1 to ${maxPartitions}`, partitions)
  }
  const maxAheadMs = parseDuration(maxAhead)
  if (maxAheadMs === undefined) problems.add('maxAhead', 'must be a duration such as "10m"', maxAhead)
  const { stages, profile } = checkedParts(options, problems)
  const names = new Set<string>()
  stages.forEach((stage, index) => {
    problems.adopt(`stages[${index}]`, stage.problems)
    if (stage.name === profileStage) {
      problems.add(
        `stages[${index}]`,
        'must have another name: what the profile rejects is counted under it',
        stage.name,
      )
    }
    if (names.has(stage.name)) {
      problems.add(
        `stages[${index}]`,
        `has a name that is taken; give it its own: ${stage.operator}({...}, 'name')`,
        stage.name,
      )
    }
    names.add(stage.name)
  })
  problems.adopt('profile', profile.problems)
  const fingerprint = JSON.stringify([
    stages.map(stage => [stage.name, stage.fingerprint]),
    profile.fingerprint,
    maxAheadMs,
  ])
  return {
    name,
    partitions,
    stages,
    profile,
    maxAheadMs: maxAheadMs ?? 0,
    hash: createHash('sha256').update(fingerprint).digest('hex').slice(0, 16),
    problems: problems.list,
  }
}

/** Definitions are not compiled before they run: what is no stage or no profile is said here, and left out. */
function checkedParts(
  { stages, profile }: Readonly<Record<'stages' | 'profile', unknown>>,
  problems: Problems,
): Pick<PipelineOptions, 'stages' | 'profile'> {
  const given: readonly unknown[] = Array.isArray(stages) ? stages : []
  if (!Array.isArray(stages)) problems.add('stages', 'must be a list of stages', stages)
  const known = given.filter((stage, index): stage is StageDefinition => {
    const isStage = hasProblems(stage)
    if (!isStage) problems.add(`stages[${index}]`, 'must be a stage such as dedupe({ window: "1h" })', stage)
    return isStage
  })
  if (hasProblems(profile)) return { stages: known, profile: profile as ProfileDefinition }
  problems.add('profile', 'must be what profile(...) gives', profile)
  return { stages: known, profile: noProfile }
}

function hasProblems(part: unknown): boolean {
  return typeof part === 'object' && part !== null && Array.isArray((part as { problems?: unknown }).problems)
}

const noProfile: ProfileDefinition = {
  problems: [],
  fingerprint: '',
  model: () => {
    throw new TypeError('there is no profile')
  },
}
