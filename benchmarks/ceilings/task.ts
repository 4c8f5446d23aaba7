/** What runs in a measured process other than the engine. */

/** Everything a task needs, sent to its process. */
export interface Job {
  readonly configFile: string
  /** File of recorded commits. */
  readonly recording: string
  /** Events of each partition. */
  readonly counts: readonly number[]
  /** Last stream sequence of each partition. */
  readonly lastSeqs: readonly number[]
}

export interface Task<Result = unknown> {
  /** The part that is measured. */
  run(): Promise<Result>
  close(): Promise<void>
}

/** Everything that is to be ready before the clock starts. */
export type Prepare<Given = Job, Result = unknown> = (job: Given) => Promise<Task<Result>>
