/**
 * Settings from environment variables. The name follows from the setting's path: `nats.servers` is `MILLRACE_NATS_SERVERS`,
 * `batch.maxEvents` is `MILLRACE_BATCH_MAX_EVENTS`; with `_FILE` behind it the variable names a file that holds the value,
 * as orchestrators mount secrets.
 */
import { readFileSync } from 'node:fs'
import { nearest } from '../nearest.js'
import type { OptionSpec, OptionSpecs } from '../options.js'
import type { Problems } from '../problems.js'
import { configSchema } from './schema.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** A value and the variable it came from. */
export interface EnvironmentValue {
  readonly variable: string
  readonly value: string
}

/** Every setting that is not a group, with its path. */
export function* settings(
  specs: OptionSpecs = configSchema,
  above = '',
): Generator<{ path: string; spec: OptionSpec }> {
  for (const [name, spec] of Object.entries(specs)) {
    const path = `${above}${name}`
    if (spec.group === undefined) yield { path, spec }
    else yield* settings(spec.group, `${path}.`)
  }
}

/** `batch.maxEvents` to `MILLRACE_BATCH_MAX_EVENTS`. */
export function variableOf(path: string): string {
  return `MILLRACE_${path
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`
}

/** Values by path of the setting. Says unknown variables, settings given twice and files that cannot be read. */
export function readEnvironment(env: Environment, problems: Problems): Map<string, EnvironmentValue> {
  const paths = new Map<string, string>()
  for (const { path } of settings()) paths.set(variableOf(path), path).set(`${variableOf(path)}_FILE`, path)
  const values = new Map<string, EnvironmentValue>()
  for (const [variable, written] of Object.entries(env)) {
    if (!variable.startsWith('MILLRACE_') || written === undefined) continue
    if (isServiceLink(variable, written) || isProgram(variable, written)) continue
    const path = paths.get(variable)
    if (path === undefined) {
      const meant = nearest(variable, paths.keys())
      problems.add(variable, `is not a setting${meant === undefined ? '' : `; did you mean ${meant}?`}`)
      continue
    }
    const other = values.get(path)
    if (other !== undefined) {
      problems.add(variable, `sets ${path} a second time, after ${other.variable}`)
      continue
    }
    const value = variable === variableOf(path) ? written : readMounted(variable, written, problems)
    if (value !== undefined) values.set(path, { variable, value })
  }
  return values
}

/**
 * Kubernetes sets variables such as `MILLRACE_SERVICE_HOST` and `MILLRACE_PORT=tcp://10.0.0.1:8080` in every pod beside a
 * service called `millrace`; a service called `millrace-admin` even sets `MILLRACE_ADMIN_PORT`. Nobody wrote those.
 */
function isServiceLink(variable: string, value: string): boolean {
  if (/_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(variable)) return true
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(variable)) return true
  return variable.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value)
}

/**
 * `MILLRACE_NATS_SERVER=/opt/nats-server` tells the demo, the tests and the benchmarks which program to start, and an engine that they
 * start inherits it. Only a path is passed over: an address there is a mistyped `MILLRACE_NATS_SERVERS`.
 */
function isProgram(variable: string, value: string): boolean {
  return /^MILLRACE_((NATS|REDIS)_SERVER|NATS_CURRENT|NODE_\d+)$/.test(variable) && /^\.{0,2}\//.test(value)
}

/** Without the newline that editors and `echo` leave at the end. */
function readMounted(variable: string, path: string, problems: Problems): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    problems.add(
      variable,
      `names a file that cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      path,
    )
    return undefined
  }
}
