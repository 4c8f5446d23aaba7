/** `millrace run`: the service. Ends with SIGTERM or SIGINT, or when the process cannot do its work. */
import { once } from 'node:events'
import { openAdminPort, type AdminSources } from '../admin/admin.js'
import type { Clock } from '../clock.js'
import { loadConfig, redactedConfig } from '../config/config.js'
import type { Engine } from '../engine.js'
import { MillraceError } from '../errors.js'
import { loadPipeline } from '../load-pipeline.js'
import { createLog, type Log } from '../log.js'
import { Metrics } from '../metrics/metrics.js'
import { startWatchdog } from '../watchdog.js'
import { boundHeapGrowth } from './heap-growth.js'
import type { ExitCode, Services } from './services.js'
import { reportToSupervisor, startFailureOf, supervisorSignal } from './supervised.js'
import { supervise } from './supervisor.js'

export interface RunOptions {
  readonly config?: string | undefined
  /** Instead of the configuration's. */
  readonly pipeline?: string | undefined
  /** Instead of the configuration's. */
  readonly processes?: number | undefined
}

/** Resolves when it was told to stop and has. Throws errors of the action `stop`. */
export async function run(options: RunOptions, services: Services): Promise<ExitCode> {
  const { interrupted } = services
  const config = loadConfig({ file: options.config, env: services.io.env })
  const supervisor = supervisorSignal()
  const anyLog = createLog(config.log.level)
  // Several processes write to one place.
  const log = supervisor === undefined ? anyLog : anyLog.child({ process: config.replica.name })
  log.info({ config: redactedConfig(config) }, 'configuration')
  const { pipeline, folder } = await loadPipeline(options.pipeline ?? config.pipeline)
  const processes = options.processes ?? config.processes
  if (processes > 1) {
    const settings = { processes, arguments: argumentsOf(options), environment: services.io.env, config, pipeline, log }
    await supervise(settings, interrupted)
    return 0
  }
  boundHeapGrowth()
  const metrics = new Metrics(pipeline.name, config.generation)
  metrics.collectProcess()
  const stopping = AbortSignal.any([interrupted, ...(supervisor === undefined ? [] : [supervisor])])

  const running: { engine?: Engine } = {}
  const admin = await openAdminPort(
    adminSources(running, metrics, log, pipeline.partitions, services.clock),
    config.admin,
  )
  log.info({ host: admin.host, port: admin.port }, 'admin port is open')
  await reportToSupervisor({ adminPort: admin.port })
  const stopWatchdog = startWatchdog(config.watchdog.timeout, log)
  try {
    const store = services.openStore(config, pipeline.name)
    const options = { config, pipeline, folder, store, metrics, log, clock: services.clock }
    const engine = await services.startEngine(options, stopping)
    running.engine = engine
    try {
      if (!stopping.aborted) await Promise.race([once(stopping, 'abort'), engine.failure])
    } finally {
      await engine.stop(config.shutdown.deadline)
    }
    return 0
  } catch (error) {
    // Told to stop while it was still waiting for a server.
    if (stopping.aborted) return 0
    const startFailure = running.engine === undefined ? startFailureOf(error) : undefined
    if (startFailure !== undefined) await reportToSupervisor({ startFailure })
    // For whoever reads JSON lines; the program's last line says it to people.
    log.error({ error, problems: error instanceof MillraceError ? error.lines : [] }, 'engine ends')
    throw error
  } finally {
    stopWatchdog()
    await admin.close()
  }
}

/** How a process of the supervisor is called: as it was called itself, its own number of processes aside. */
function argumentsOf({ config, pipeline }: RunOptions): string[] {
  return ['run', ...(config === undefined ? [] : ['--config', config]), ...(pipeline === undefined ? [] : [pipeline])]
}

function adminSources(
  running: { engine?: Engine },
  metrics: Metrics,
  log: Log,
  partitions: number,
  clock: Clock,
): AdminSources {
  return {
    metrics: {
      contentType: metrics.contentType,
      render: () => {
        running.engine?.refreshGauges()
        return metrics.render()
      },
    },
    log,
    clock,
    readiness: () => {
      const { engine } = running
      const statuses =
        engine?.partitions ??
        Array.from({ length: partitions }, (_, partition) => ({ partition, state: 'standby' as const, reason: '' }))
      return {
        replica: engine?.replica,
        publishFence: engine?.publishFence,
        isReady: engine?.isReady === true,
        nats: engine?.isNatsConnected === true ? 'connected' : 'disconnected',
        redis: engine?.isStoreReachable === true ? 'connected' : 'disconnected',
        partitions: statuses,
      }
    },
    profile: async key => {
      if (running.engine === undefined) throw new MillraceError('starting', 'the engine has not started yet')
      return running.engine.profile(key)
    },
  }
}
