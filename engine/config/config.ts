/**
 * The configuration: one YAML or JSON file, environment variables over it, defaults below it. All problems are found before
 * anything is said, and no text ever repeats a secret.
 */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { MillraceError } from '../errors.js'
import { nearest } from '../nearest.js'
import type { OptionSpec, OptionSpecs } from '../options.js'
import { Problems } from '../problems.js'
import { readEnvironment, type Environment, type EnvironmentValue } from './environment.js'
import { readConfigFile } from './file.js'
import { verifyConfig } from './rules.js'
import { addressKind, configSchema, pathKind, type Config } from './schema.js'

export type { Config } from './schema.js'

/** Read when no file is named and it exists in the working directory. */
export const defaultConfigFile = 'millrace.yaml'

export interface ConfigSources {
  /** The configuration file; it must exist when named. */
  readonly file?: string | undefined
  readonly env: Environment
  /** Working directory. */
  readonly cwd?: string
}

interface Places {
  readonly environment: ReadonlyMap<string, EnvironmentValue>
  readonly problems: Problems
  /** Where relative paths of the file start. */
  readonly fileFolder: string
  readonly cwd: string
}

/** The frozen configuration. Throws `MillraceError('config_invalid')` with every problem in `lines`. */
export function loadConfig({ file, env, cwd = process.cwd() }: ConfigSources): Config {
  const problems = new Problems()
  const path = resolve(cwd, file ?? defaultConfigFile)
  const isRead = file !== undefined || existsSync(path)
  const written = isRead ? readConfigFile(path, problems) : {}
  const environment = readEnvironment(env, problems)
  const config = readGroup(configSchema, written, '', {
    environment,
    problems,
    fileFolder: dirname(path),
    cwd,
  }) as Config
  verifyConfig(config, problems)
  if (problems.isEmpty) return config
  throw new MillraceError('config_invalid', `the configuration has problems: ${problems.list.join('; ')}`, {
    lines: problems.list,
  })
}

/** Like `parseOptions`, but with the environment on top and without ever showing a value where an object should be. */
function readGroup(specs: OptionSpecs, written: unknown, above: string, places: Places): unknown {
  const { problems } = places
  const given = isObject(written) ? written : {}
  if (!isObject(written) && written !== null) problems.add(above.slice(0, -1), 'must be an object of settings')
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(specs, name)) continue
    const meant = nearest(name, Object.keys(specs))
    problems.add(`${above}${name}`, `is not a setting${meant === undefined ? '' : `; did you mean ${above}${meant}?`}`)
  }
  const values: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(specs)) {
    const path = `${above}${name}`
    if (spec.group === undefined) values[name] = readSetting(spec, given[name], path, places)
    else values[name] = readGroup(spec.group, given[name] ?? {}, `${path}.`, places)
  }
  return Object.freeze(values)
}

function readSetting(spec: OptionSpec, written: unknown, path: string, places: Places): unknown {
  const fromEnvironment = places.environment.get(path)
  const input = fromEnvironment?.value ?? written ?? spec.fallback
  if (input === undefined) return undefined
  const value = spec.parse(input, places.problems, fromEnvironment?.variable ?? path)
  if (spec.kind === pathKind && typeof value === 'string') {
    return resolve(fromEnvironment === undefined ? places.fileFolder : places.cwd, value)
  }
  return Array.isArray(value) ? Object.freeze(value) : value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** For the startup log: settings that have a value, secrets replaced, addresses without credentials. */
export function redactedConfig(config: Config): Record<string, unknown> {
  return redact(configSchema, config)
}

function redact(specs: OptionSpecs, values: object): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(specs)) {
    const value = (values as Record<string, unknown>)[name]
    if (value === undefined) continue
    if (spec.group !== undefined) shown[name] = redact(spec.group, value as object)
    else if (spec.isSecret === true) shown[name] = '[secret]'
    else if (spec.kind === addressKind) shown[name] = withoutCredentials(String(value))
    else shown[name] = value
  }
  return shown
}

/** Where the server is and nothing else: a user, a password and options may stand before and behind it. */
function withoutCredentials(address: string): string {
  if (address.startsWith('/')) return address.replace(/\?.*/, '')
  const { protocol, host, pathname } = new URL(address)
  return `${protocol}//${host}${pathname}`
}
