/** The engine as it runs in production: `millrace run` in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Rig } from './rig.js'

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

  /** Spawned, not ready yet. */
  static spawn(rig: Rig, cpuProf?: string): EngineProcess {
    const profiling = cpuProf === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', cpuProf]
    const child = spawn(process.execPath, [...profiling, program, 'run', '--config', rig.configFile], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return new EngineProcess(child, `http://127.0.0.1:${rig.config.admin.port}`)
  }

  /** One of several, without an admin port of its own. */
  static spawnReplica(rig: Rig, name: string): EngineProcess {
    const child = spawn(process.execPath, [program, 'run', '--config', rig.configFile], {
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

  /** Resolves when the broker has acknowledged every effect that is committed. */
  async published(): Promise<void> {
    const deadline = performance.now() + publishedWithinMs
    for (;;) {
      this.check()
      const page = await (await fetch(`${this.admin}/metrics`)).text()
      const committed = committedMetrics.reduce((sum, name) => sum + total(page, name), 0)
      const published = total(page, 'millrace_published_total')
      if (published === committed) return
      if (performance.now() > deadline) throw new Error(`${committed} effects are committed, ${published} published`)
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
