/** The real engine as its own process, seen through its admin port only. */
import { readFile } from 'node:fs/promises'
import { LocalProcess } from '../../engine/cli/local/process.js'
import { nodeFlags } from '../../engine/cli/node-flags.js'
import type { ServedProfile } from './oracle.js'

export interface EngineStatus {
  readonly ready: boolean
  readonly halts: readonly { readonly partition: number; readonly reason: string }[]
  readonly partitions: readonly { readonly position: number; readonly isIdle: boolean }[]
}

export class EngineProcess {
  private constructor(
    private readonly process: LocalProcess,
    readonly url: string,
  ) {}

  /** Resolves when the admin port is open; the engine may not be ready yet. */
  static async start(program: string, config: string, logFile: string): Promise<EngineProcess> {
    const child = new LocalProcess({
      name: 'millrace',
      command: process.execPath,
      arguments: [...nodeFlags, program, 'run', '--config', config],
      environment: withoutSettings(),
      logFile,
    })
    const port = await child.start(() => findAdminPort(logFile))
    return new EngineProcess(child, `http://127.0.0.1:${port}`)
  }

  get pid(): number {
    return this.process.pid
  }

  /** `/readyz`, ready or not. */
  async status(): Promise<EngineStatus> {
    return (await this.#get('/readyz')).json() as Promise<EngineStatus>
  }

  /** Every metric's value by its name and labels as rendered, without those of pipeline and generation. */
  async metrics(): Promise<Map<string, number>> {
    const text = await (await this.#get('/metrics')).text()
    const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
    return new Map(
      lines.map(line => {
        const end = line.lastIndexOf(' ')
        const name = line.slice(0, end).replace(/(?<=[{,])(?:pipeline|generation)="[^"]*",?/g, '')
        return [name.replace('{}', ''), Number(line.slice(end + 1))]
      }),
    )
  }

  /** Values as the engine serves them now. */
  async profile(key: string): Promise<ServedProfile | undefined> {
    const response = await this.#get(`/v1/profiles/${encodeURIComponent(key)}`)
    if (response.status === 404) return undefined
    if (response.status !== 200) throw new Error(`reading profile ${key}: ${response.status} ${await response.text()}`)
    const { traits, segments } = (await response.json()) as {
      traits: Record<string, { value?: unknown }>
      segments: Record<string, { enteredAt: string }>
    }
    return {
      traits: mapValues(traits, trait => trait.value),
      segments: mapValues(segments, segment => Date.parse(segment.enteredAt)),
    }
  }

  /** The most memory that the process ever had, where the system says it; otherwise what it has now. `undefined`: unknown. */
  async peakRssMb(): Promise<number | undefined> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8').catch(() => '')
    const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]
    if (kilobytes !== undefined) return Math.round(Number(kilobytes) / 1024)
    const bytes = (await this.metrics()).get('process_resident_memory_bytes')
    return bytes === undefined ? undefined : Math.round(bytes / 2 ** 20)
  }

  /** An error that quotes the engine's last words. */
  failure(what: string): Error {
    return this.process.failure(what)
  }

  async stop(): Promise<void> {
    await this.process.stop()
  }

  /** Lets the engine outlive this process. */
  release(): void {
    this.process.release()
  }

  async #get(path: string): Promise<Response> {
    try {
      return await fetch(`${this.url}${path}`)
    } catch (cause) {
      throw this.process.failure(this.process.isRunning ? 'does not answer' : 'exited', cause)
    }
  }
}

/** Settings in the environment win over the file's, and may be those of a real installation. */
function withoutSettings(): Record<string, undefined> {
  const names = Object.keys(process.env).filter(name => name.startsWith('MILLRACE_'))
  return Object.fromEntries(names.map(name => [name, undefined]))
}

async function findAdminPort(logFile: string): Promise<number | undefined> {
  const log = await readFile(logFile, 'utf8').catch(() => '')
  const line = log.split('\n').find(line => line.includes('"admin port is open"'))
  return line === undefined ? undefined : (JSON.parse(line) as { port: number }).port
}

function mapValues<Value, Result>(
  from: Readonly<Record<string, Value>>,
  change: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, change(value)]))
}
