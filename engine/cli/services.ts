/** What the verbs need from outside: parts of `operators/` and `profiles/`, and the process. The composition root gives it. */
import type { Clock } from '../clock.js'
import type { Config } from '../config/config.js'
import type { Engine, EngineOptions } from '../engine.js'
import type { ProfileStore } from '../store.js'
import type { Fingerprint } from './event-files/avro.js'
import type { PublishHooks } from './publish-file.js'
import type { TextStream } from './terminal.js'

export interface Io {
  readonly stdout: TextStream & { write(bytes: Uint8Array | string): unknown }
  readonly stderr: TextStream
  readonly env: NodeJS.ProcessEnv
}

export interface DemoOptions {
  readonly events: number
  readonly seed: number
  /** Events a second; without it a backlog is published first and then drained. */
  readonly rate?: number | undefined
  /** How many people; without it one for every 15 events. */
  readonly users?: number | undefined
  readonly json: boolean
  /** Leave servers and engine running. */
  readonly keep: boolean
}

export interface Services {
  /** 1 when the oracle disagrees. */
  demo(options: DemoOptions, io: Io): Promise<ExitCode>
  /** `Engine.start`, which only tests replace. */
  startEngine(options: EngineOptions, signal: AbortSignal): Promise<Engine>
  /** A store that is not connected yet; `verify` connects. */
  openStore(config: Config, pipeline: string): ProfileStore
  readonly fingerprint: Fingerprint
  readonly io: Io
  readonly clock: Clock
  readonly sleep: PublishHooks['sleep']
  /** SIGINT or SIGTERM. */
  readonly interrupted: AbortSignal
}

/** 0 done, 1 failed, 2 called wrongly. */
export type ExitCode = 0 | 1 | 2
