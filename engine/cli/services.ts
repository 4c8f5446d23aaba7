/** What the verbs need from outside `engine/`; the composition root provides it. */
import type { Config } from '../config.js'
import type { ProfileStore } from '../store.js'

export interface Io {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly env: NodeJS.ProcessEnv
}

export interface Services {
  /** A store that is not connected yet; `verify` connects. */
  openStore(config: Config, pipeline: string): ProfileStore
  readonly io: Io
}

/** 0 done, 1 failed, 2 called wrongly. */
export type ExitCode = 0 | 1 | 2
