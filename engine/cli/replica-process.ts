/** One engine process that is kept running: started again when it ends, stopped when the supervisor stops. */
import { fork } from 'node:child_process'
import { request, type IncomingHttpHeaders } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../log.js'
import { nodeFlags } from './node-flags.js'
import { isReplicaReport, type StartFailure } from './supervised.js'

export interface ReplicaProcessOptions {
  /** Name of the replica, the same after every start. */
  readonly name: string
  readonly program: string
  readonly arguments: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  /** A process that is told to stop gets this long. */
  readonly stopWithinMs: number
  /** A process has ended because of its `startFailure`. */
  readonly onStartFailure: () => void
  readonly log: Log
}

export interface ReplicaAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Doubled with every failure in a row: a process that cannot start must not keep the machine busy. */
const firstRestartMs = 100
const maxRestartMs = 30_000
/** After a failure that trying again does not mend by itself: the others have time to come to the same end. */
const hopelessRestartMs = 5_000
/** Who has run this long did not fail in a row. */
const steadyMs = 60_000

export class ReplicaProcess {
  /** Of the process that runs now. */
  #adminPort: number | undefined
  #startFailure: StartFailure | undefined
  #restarts = 0

  constructor(private readonly options: ReplicaProcessOptions) {}

  get name(): string {
    return this.options.name
  }

  get restarts(): number {
    return this.#restarts
  }

  /** While no process runs: why the last one could not start, if trying again does not help. */
  get startFailure(): StartFailure | undefined {
    return this.#startFailure
  }

  /** Keeps a process running until the signal; resolves when the last one is gone. */
  async run(stopping: AbortSignal): Promise<void> {
    let failures = 0
    while (!stopping.aborted) {
      const startedAt = performance.now()
      const end = await this.#live(stopping)
      if (stopping.aborted) return
      failures = performance.now() - startedAt < steadyMs ? failures + 1 : 1
      const leastMs = this.#startFailure === undefined ? firstRestartMs : hopelessRestartMs
      const restartMs = Math.min(leastMs * 2 ** (failures - 1), maxRestartMs)
      this.options.log.warn({ replica: this.name, ...end, restart_ms: restartMs }, 'replica ended, it is started again')
      if (this.#startFailure !== undefined) this.options.onStartFailure()
      await delay(restartMs, undefined, { signal: stopping }).catch(() => undefined)
      this.#startFailure = undefined
      this.#restarts++
    }
  }

  /** Asks the process's own admin port. Rejects when it has none yet, or does not answer in time. */
  async ask(path: string, withinMs: number, headers: Readonly<Record<string, string>> = {}): Promise<ReplicaAnswer> {
    const port = this.#adminPort
    if (port === undefined) throw new Error(`replica ${this.name} is not running`)
    return new Promise((resolve, reject) => {
      // Not `fetch`, which rewrites paths; no agent, because an idle connection may be closed just when it is used.
      const options = { host: '127.0.0.1', port, path, headers, agent: false, signal: AbortSignal.timeout(withinMs) }
      const asked = request(options, response => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (text: string) => (body += text))
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }))
      })
      asked.on('error', reject)
      asked.end()
    })
  }

  /** One process from start to end; says how it ended. */
  async #live(stopping: AbortSignal): Promise<Record<string, unknown>> {
    const { program, environment, stopWithinMs, log } = this.options
    const child = fork(program, this.options.arguments, {
      // The later of two that contradict each other counts.
      execArgv: [...nodeFlags, ...process.execArgv],
      env: environment,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Ctrl-C reaches the supervisor only, which then stops its replicas in order.
      detached: true,
    })
    log.info({ replica: this.name, pid: child.pid }, 'replica process starts')
    child.on('message', message => {
      if (!isReplicaReport(message)) return
      if ('adminPort' in message) this.#adminPort = message.adminPort
      else this.#startFailure = message.startFailure
    })
    let overdue: NodeJS.Timeout | undefined
    const stop = (): void => {
      if (child.connected) child.disconnect()
      overdue = setTimeout(() => {
        log.warn({ replica: this.name, deadline_ms: stopWithinMs }, 'replica does not stop, it is killed')
        child.kill('SIGKILL')
      }, stopWithinMs)
    }
    stopping.addEventListener('abort', stop, { once: true })
    const end = await new Promise<Record<string, unknown>>(resolve => {
      child.once('exit', (code, signal) => {
        // What it said last may still be on its way.
        if (child.connected) child.once('disconnect', () => resolve({ code, signal }))
        else resolve({ code, signal })
      })
      child.on('error', error => {
        // Other errors are about a process that lives or has an end of its own.
        if (child.pid === undefined) resolve({ error })
      })
    })
    clearTimeout(overdue)
    stopping.removeEventListener('abort', stop)
    this.#adminPort = undefined
    return end
  }
}
