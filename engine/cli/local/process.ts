/**
 * One private server as a child process: started, reached for certain, stopped by its process id.
 *
 * The child writes to a log file, not to a pipe, so that it can outlive this process (`--keep`) and so that its last lines
 * can be quoted when it exits early. It is a process group of its own: Ctrl-C reaches this process only, which then stops
 * its servers in order. Whatever is still running when this process ends is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** Loading a large append-only file takes seconds; a server that needs longer than this is stuck. */
const readyWithinMs = 30_000

/** A server gets this long to write its files after SIGTERM. */
const stopWithinMs = 10_000

const lastLogLines = 12

export interface LocalProcessOptions {
  /** For error texts: `nats-server`. */
  readonly name: string
  readonly command: string
  readonly arguments: readonly string[]
  /** Over the environment of this process; `undefined` takes a variable away. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly logFile: string
}

export class LocalProcess {
  #child: ChildProcess | undefined

  constructor(private readonly options: LocalProcessOptions) {}

  /** Process id of the running server; throws when there is none. */
  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error(`${this.options.name} is not running`)
    return pid
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  /**
   * Spawns the server and waits until `probe`, given its process id, returns something. Rejects with the server's last log
   * lines when it exits before that. `further` arguments come after the usual ones and hold for this start only.
   */
  async start<Found>(
    probe: (pid: number) => Promise<Found | undefined>,
    further: readonly string[] = [],
  ): Promise<Found> {
    if (this.#child !== undefined) throw new Error(`${this.options.name} is running already`)
    const { command, environment, logFile, name } = this.options
    const log = openSync(logFile, 'a')
    const child = spawn(command, [...this.options.arguments, ...further], {
      stdio: ['ignore', log, log],
      detached: true,
      env: { ...process.env, ...environment },
    })
    closeSync(log)
    const failure = new Promise<Error>(resolve => child.once('error', resolve))
    child.once('exit', () => {
      running.delete(child)
      if (this.#child === child) this.#child = undefined
    })
    if (child.pid === undefined) {
      const cause = await failure
      throw new Error(`${name} cannot be started: ${cause.message}`, { cause })
    }
    this.#child = child
    running.add(child)
    killServersAtExit()
    try {
      const found = await this.#ready(child, () => probe(child.pid!))
      // A server alone is no reason for this process to stay.
      child.unref()
      return found
    } catch (error) {
      await this.kill()
      throw error
    }
  }

  /** Ends the server as an operator would; kills it when it does not follow. Resolves when the process is gone. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const overdue = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
    // A stopped process does not see SIGTERM before it continues.
    await this.#end(child, ['SIGTERM', 'SIGCONT'])
    clearTimeout(overdue)
  }

  /** Ends the server without a chance to write anything. Resolves when the process is gone. */
  async kill(): Promise<void> {
    if (this.#child !== undefined) await this.#end(this.#child, ['SIGKILL'])
  }

  /** Freezes the server: connections stay open, nothing is answered. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Lets the server outlive this process. */
  release(): void {
    if (this.#child !== undefined) running.delete(this.#child)
  }

  async #ready<Found>(child: ChildProcess, probe: () => Promise<Found | undefined>): Promise<Found> {
    const deadline = performance.now() + readyWithinMs
    for (;;) {
      const found = await probe()
      if (found !== undefined) return found
      if (this.#child !== child) throw this.failure('exited at start')
      if (performance.now() > deadline) throw this.failure(`was not ready within ${readyWithinMs} ms`)
      await sleep(10)
    }
  }

  /** An error that quotes the last lines of the log. */
  failure(what: string, cause?: unknown): Error {
    const lines = readFileSync(this.options.logFile, 'utf8').trimEnd().split('\n').slice(-lastLogLines)
    return new Error(`${this.options.name} ${what}; its last lines were:\n${lines.join('\n')}`, { cause })
  }

  async #end(child: ChildProcess, signals: readonly NodeJS.Signals[]): Promise<void> {
    child.ref()
    const exit = once(child, 'exit')
    for (const signal of signals) child.kill(signal)
    await exit
  }
}

const running = new Set<ChildProcess>()
const folders = new Set<string>()
let isWatchingExit = false

/** Removes the folder when this process ends without having done so itself. */
export function removeAtExit(folder: string): void {
  folders.add(folder)
  killServersAtExit()
}

/** The folder is gone already, or is to stay. */
export function forgetFolder(folder: string): void {
  folders.delete(folder)
}

function killServersAtExit(): void {
  if (isWatchingExit) return
  isWatchingExit = true
  // `exit` covers a normal end, process.exit and uncaught errors; signals would end the process without it.
  process.once('exit', killServers)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]))
  }
}

function killServers(): void {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  folders.clear()
}
