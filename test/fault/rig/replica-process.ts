/** One engine replica as a child process: started and ended at will, seen through its admin port and its logs. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalProcess } from '../../../engine/cli/local/process.js'
import { nodeFlags } from '../../../engine/cli/node-flags.js'
import { eventually } from '../../support/eventually.js'

export interface ReplicaOptions {
  readonly name: string
  /** Compiled program and what stands before `run`'s options. */
  readonly program: string
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Each start gets a log file of its own here. */
  readonly folder: string
}

/** What `/readyz` says of a partition. */
export interface PartitionSight {
  readonly partition: number
  readonly state: string
  readonly reason: string
  /** Absent until the engine has started, as the rest is. */
  readonly outboxEntries?: number
  readonly bufferedEvents?: number
  /** Nothing is left to read, to commit or to publish. */
  readonly isIdle?: boolean
}

const answerWithinMs = 1_000

export class ReplicaProcess {
  readonly logFiles: string[] = []
  /** What each start has worked on, written at its end. */
  readonly notesFiles: string[] = []
  #process: LocalProcess | undefined
  #url = ''
  /** False from when it is told to end until it is started again. */
  #mustRun = false

  constructor(private readonly options: ReplicaOptions) {}

  get name(): string {
    return this.options.name
  }

  get pid(): number {
    return this.#process!.pid
  }

  get isRunning(): boolean {
    return this.#process?.isRunning === true
  }

  /** True when it ended without being told to. */
  get hasExited(): boolean {
    return this.#mustRun && !this.isRunning
  }

  /** Resolves when the admin port is open; its partitions attach by themselves. */
  async start(...further: readonly string[]): Promise<void> {
    const { name, program, environment, folder } = this.options
    const logFile = join(folder, `${name}.${this.logFiles.length + 1}.log`)
    const notesFile = `${logFile}.notes`
    this.logFiles.push(logFile)
    this.notesFiles.push(notesFile)
    this.#process = new LocalProcess({
      name,
      command: process.execPath,
      arguments: [...nodeFlags, program, ...this.options.arguments, '--notes', notesFile, ...further],
      environment: { ...withoutSettings(), ...environment },
      logFile,
    })
    const port = await this.#process.start(() => adminPortIn(logFile))
    this.#url = `http://127.0.0.1:${port}`
    this.#mustRun = true
  }

  /** No handler runs. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#mustRun = false
    await this.#process?.kill()
  }

  /** SIGTERM. Resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#mustRun = false
    await this.#process?.stop()
  }

  /** It may end by itself: true when it has within this long. */
  async mayEnd(withinMs: number): Promise<boolean> {
    this.#mustRun = false
    await eventually('it has ended', () => !this.isRunning, { withinMs }).catch(() => undefined) // then it goes on
    return !this.isRunning
  }

  /** Keeps its event loop busy for ten seconds; nothing else of it is touched. */
  keepBusy(): void {
    process.kill(this.pid, 'SIGUSR2')
  }

  /** Stops the world for it; its connections stay open. */
  pause(): void {
    this.#process!.pause()
  }

  resume(): void {
    this.#process!.resume()
  }

  /** Resolves when it runs one partition or more. */
  async works(): Promise<void> {
    const isAtWork = async () => (await this.partitions())?.some(({ state }) => state === 'running')
    await eventually(`${this.name} works`, isAtWork, { withinMs: 30_000 })
  }

  /** `undefined` while it cannot answer. */
  async partitions(): Promise<readonly PartitionSight[] | undefined> {
    if (!this.isRunning) return undefined
    try {
      const response = await fetch(`${this.#url}/readyz`, { signal: AbortSignal.timeout(answerWithinMs) })
      return ((await response.json()) as { partitions: PartitionSight[] }).partitions
    } catch {
      return undefined // paused, ending, or just gone
    }
  }

  /** Value of a counter summed over its labels; `undefined` while it cannot answer. */
  async metric(name: string): Promise<number | undefined> {
    try {
      const response = await fetch(`${this.#url}/metrics`, { signal: AbortSignal.timeout(answerWithinMs) })
      const lines = (await response.text()).split('\n').filter(line => line.startsWith(`${name}{`))
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
    } catch {
      return undefined
    }
  }

  /** The most memory the running process ever had, MB; 0 where the system does not say. */
  async peakRssMb(): Promise<number> {
    const status = this.isRunning ? await readFile(`/proc/${this.pid}/status`, 'utf8').catch(() => '') : ''
    return Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024)
  }
}

/** Settings in the environment win over the file's, and may be those of a real installation. */
function withoutSettings(): Record<string, undefined> {
  const names = Object.keys(process.env).filter(name => name.startsWith('MILLRACE_'))
  return Object.fromEntries(names.map(name => [name, undefined]))
}

async function adminPortIn(logFile: string): Promise<number | undefined> {
  const log = await readFile(logFile, 'utf8').catch(() => '')
  const line = log.split('\n').find(line => line.includes('"admin port is open"'))
  return line === undefined ? undefined : (JSON.parse(line) as { port: number }).port
}
