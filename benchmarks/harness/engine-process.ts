/** The engine as it runs in production: `millrace run` in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { nodeFlags } from '../../engine/cli/node-flags.js'
import type { EngineFile } from './engine-config.js'

const program = fileURLToPath(new URL('../../engine/cli/main.js', import.meta.url))
const readyWithinMs = 30_000
const publishedWithinMs = 30_000

/** What leaves the engine besides profiles: everything committed must end up published. */
const committedMetrics = [
  'millrace_triggers_total',
  'millrace_triggers_suppressed_total',
  'millrace_segment_changes_total',
  'millrace_events_dead_lettered_total',
]

/** How far an engine is. */
export interface Progress {
  /** Committed. */
  readonly events: number
  readonly committedEffects: number
  /** Acknowledged by the broker. */
  readonly publishedEffects: number
}

export class EngineProcess {
  #isOver = false

  private constructor(
    private readonly child: ChildProcess,
    private readonly admin: string,
  ) {
    const kill = () => child.kill('SIGKILL')
    process.once('exit', kill)
    child.once('exit', () => {
      this.#isOver = true
      process.off('exit', kill)
    })
  }

  /** Spawned, not ready yet. `node` is the program that runs it. */
  static spawn({ configFile, adminPort }: EngineFile, cpuProf?: string, node = process.execPath): EngineProcess {
    const profiling = cpuProf === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', cpuProf]
    const child = spawn(node, [...nodeFlags, ...profiling, program, 'run', '--config', configFile], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return new EngineProcess(child, `http://127.0.0.1:${adminPort}`)
  }

  /** One of several, without an admin port of its own. */
  static spawnReplica({ configFile }: EngineFile, name: string): EngineProcess {
    const child = spawn(process.execPath, [...nodeFlags, program, 'run', '--config', configFile], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, MILLRACE_REPLICA_NAME: name, MILLRACE_ADMIN_PORT: '0' },
    })
    return new EngineProcess(child, '')
  }

  get pid(): number {
    return this.child.pid!
  }

  /** Throws when the process has ended by itself. */
  check(): void {
    if (this.#isOver) throw new Error(`the engine ended with ${this.child.exitCode ?? this.child.signalCode}`)
  }

  /** Resolves when every partition runs. */
  async ready(): Promise<void> {
    const deadline = performance.now() + readyWithinMs
    for (;;) {
      this.check()
      const reply = await fetch(`${this.admin}/readyz`).catch(() => undefined)
      if (reply?.ok === true) return
      if (performance.now() > deadline) throw new Error(`the engine is not ready: ${await reply?.text()}`)
      await sleep(20)
    }
  }

  /** Counts that only rise; all zero while the engine starts. */
  async progress(): Promise<Progress> {
    const page = await fetch(`${this.admin}/metrics`).then(
      reply => reply.text(),
      () => '',
    )
    return {
      events: total(page, 'millrace_events_total'),
      committedEffects: committedMetrics.reduce((sum, name) => sum + total(page, name), 0),
      publishedEffects: total(page, 'millrace_published_total'),
    }
  }

  /** Resolves when the broker has acknowledged every effect that is committed. */
  async published(): Promise<void> {
    const deadline = performance.now() + publishedWithinMs
    for (;;) {
      this.check()
      const { committedEffects, publishedEffects } = await this.progress()
      if (publishedEffects === committedEffects) return
      if (performance.now() > deadline) {
        throw new Error(`${committedEffects} effects are committed, ${publishedEffects} published`)
      }
      await sleep(10)
    }
  }

  async stop(): Promise<void> {
    if (this.#isOver) return
    const exit = once(this.child, 'exit')
    this.child.kill('SIGTERM')
    await exit
  }
}

/** Sum of a metric's series on a page of the Prometheus text format. */
export function total(page: string, name: string): number {
  let sum = 0
  for (const [, value] of page.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))) sum += Number(value)
  return sum
}
