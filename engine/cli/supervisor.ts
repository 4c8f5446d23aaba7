/**
 * `millrace run --processes`: several engine processes on one machine, which share the partitions as replicas do, and one admin
 * port for all. The supervisor itself reads no event and holds no state.
 */
import { setMaxListeners } from 'node:events'
import { hostname } from 'node:os'
import { serve, live, started, json, type Reply, type Routes } from '../admin/server.js'
import type { Config } from '../config/config.js'
import { variableOf } from '../config/environment.js'
import { MillraceError } from '../errors.js'
import type { Log } from '../log.js'
import type { Pipeline } from '../pipeline.js'
import { ReplicaProcess } from './replica-process.js'
import type { StartFailure } from './supervised.js'
import { mergeMetrics, supervisorMetrics } from './supervisor-metrics.js'
import { mergeReadiness, type ReplicaReadiness } from './supervisor-readiness.js'

export interface SupervisorOptions {
  readonly processes: number
  /** What the program is called with to run one of them. */
  readonly arguments: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  readonly config: Config
  readonly pipeline: Pipeline
  readonly log: Log
}

/** Who does not say within this that it is ready, is not. */
const readyWithinMs = 1_000
/** Rendering takes tens of milliseconds; a busy event loop takes longer. */
const metricsWithinMs = 5_000
/** An engine that waits for Redis gives up after a few seconds. */
const profileWithinMs = 10_000
/** For closing what the engine has given up at its own deadline. */
const closeMs = 2_000

/**
 * Resolves when it was told to stop and every process is gone. Throws the reason when no process could start and trying again
 * does not help: a supervisor of nothing would only look alive.
 */
export async function supervise(options: SupervisorOptions, stopping: AbortSignal): Promise<void> {
  const { processes, config, pipeline, log } = options
  const hopeless = new AbortController()
  let reason: StartFailure | undefined
  const ending = AbortSignal.any([stopping, hopeless.signal])
  const base = config.replica.name ?? `${hostname()}-${process.pid}`
  const replicas: readonly ReplicaProcess[] = Array.from({ length: processes }, (_, i) => {
    const name = `${base}-${i}`
    return new ReplicaProcess({
      name,
      program: process.argv[1]!,
      arguments: options.arguments,
      environment: environmentOf(name, options.environment),
      stopWithinMs: config.shutdown.deadline + closeMs,
      onStartFailure: () => {
        if (replicas.some(({ startFailure }) => startFailure === undefined)) return
        reason = replicas[0]!.startFailure
        hopeless.abort()
      },
      log,
    })
  })
  // Every process waits for it, which is no leak.
  setMaxListeners(0, ending)
  const admin = await serve(routesTo(replicas, pipeline), log, config.admin)
  log.info({ host: admin.host, port: admin.port }, 'admin port is open')
  try {
    log.info({ replicas: replicas.map(({ name }) => name) }, 'replicas start')
    await Promise.all(replicas.map(replica => replica.run(ending)))
    log.info({}, 'replicas stopped')
    if (reason !== undefined && !stopping.aborted) throw new MillraceError(reason.code, reason.message, reason)
  } finally {
    await admin.close()
  }
}

/** Each process has a name of its own and an admin port that only the supervisor asks. */
function environmentOf(name: string, given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = { 'replica.name': name, 'admin.host': '127.0.0.1', 'admin.port': '0', processes: '1' }
  const environment = { ...given }
  for (const [path, value] of Object.entries(own)) {
    environment[variableOf(path)] = value
    delete environment[`${variableOf(path)}_FILE`]
  }
  return environment
}

function routesTo(replicas: readonly ReplicaProcess[], pipeline: Pipeline): Routes {
  // A process that is started again later is no start of the whole.
  let hasStarted = false
  return (path, headers) => {
    if (path === '/livez') return live
    if (path === '/startedz') return async () => started((hasStarted ||= await haveAllStarted(replicas)))
    if (path === '/readyz') return () => ready(replicas, pipeline.partitions)
    if (path === '/metrics') return () => metrics(replicas, pipeline.name)
    const tag = headers['if-none-match']
    const conditions = tag === undefined ? {} : { 'if-none-match': tag }
    return path.startsWith('/v1/profiles/') ? () => profile(replicas, path, conditions) : undefined
  }
}

async function haveAllStarted(replicas: readonly ReplicaProcess[]): Promise<boolean> {
  const answers = await Promise.all(
    replicas.map(replica => replica.ask('/startedz', readyWithinMs).catch(() => undefined)),
  )
  return answers.every(answer => answer?.status === 200)
}

async function ready(replicas: readonly ReplicaProcess[], partitions: number): Promise<Reply> {
  const asked = await Promise.all(
    replicas.map(async replica => {
      const answer = await replica.ask('/readyz', readyWithinMs).catch(() => undefined)
      return { name: replica.name, answer: answer && (JSON.parse(answer.body) as ReplicaReadiness) }
    }),
  )
  const merged = mergeReadiness(asked, partitions)
  return json(merged.ready ? 200 : 503, merged)
}

/** Who does not answer is left out, as a target that is down. */
async function metrics(replicas: readonly ReplicaProcess[], pipeline: string): Promise<Reply> {
  const answers = await Promise.all(
    replicas.map(replica => replica.ask('/metrics', metricsWithinMs).catch(() => undefined)),
  )
  const states = replicas.map(({ name, restarts }, i) => ({ name, restarts, isUp: answers[i] !== undefined }))
  const pages = replicas.flatMap(({ name }, i) => {
    const answer = answers[i]
    return answer === undefined ? [] : [{ replica: name, text: answer.body }]
  })
  return {
    status: 200,
    headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    body: `${supervisorMetrics(pipeline, states)}\n${mergeMetrics(pages)}`,
  }
}

/** Any replica reads any profile; only its owner has a last good one while Redis does not answer. */
async function profile(
  replicas: readonly ReplicaProcess[],
  path: string,
  conditions: Readonly<Record<string, string>>,
): Promise<Reply> {
  let best: Reply | undefined
  for (const replica of replicas) {
    const answer = await replica.ask(path, profileWithinMs, conditions).catch(() => undefined)
    if (answer === undefined) continue
    best = forwarded(answer)
    if (answer.status < 500) break
  }
  if (best === undefined) throw new MillraceError('starting', 'no replica answers yet')
  return best
}

function forwarded({ status, headers, body }: Awaited<ReturnType<ReplicaProcess['ask']>>): Reply {
  const kept = (['content-type', 'etag', 'retry-after'] as const).flatMap(name => {
    const value = headers[name]
    return value === undefined ? [] : [[name, value]]
  })
  return { status, body, headers: Object.fromEntries(kept) as Record<string, string> }
}
