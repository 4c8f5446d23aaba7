/** What a benchmark is to the command: a question, and a way to its answer. */

export interface BenchOptions {
  /** Events of a backlog. */
  readonly events: number
  readonly rounds: number
  readonly seed: number
  /** How many different keys there may be; a workload has its own default. */
  readonly users: number | undefined
  /** Events a second, where the load is open loop: this rate alone instead of the question's own. */
  readonly rate: number | undefined
  /** How long such a load lasts. */
  readonly seconds: number
  /** Folder for processor profiles of the engine, one a round. */
  readonly cpuProf: string | undefined
  /**
   * The same rows from less: all usual questions together take under four minutes. Events, rounds and seconds have smaller
   * defaults then, and a question has smaller sizes of its own; the most expensive points of curves are left out.
   */
  readonly quick: boolean
  /** The gate writes what it measured as its new baseline instead of comparing. */
  readonly updateBaseline?: boolean | undefined
}

export interface Answer {
  /** For people. */
  readonly text: string
  /** For programs: this question's own figures. The command puts them under the question's name. */
  readonly json: Readonly<Record<string, unknown>>
  /** Why the command must exit with 1, a sentence: a result was wrong, or worse than allowed. */
  readonly failure?: string | undefined
}

export interface Question {
  readonly name: string
  /** The question itself, a sentence. */
  readonly asks: string
  /** `say` is told what happens meanwhile. */
  answer(options: BenchOptions, say: (line: string) => void): Promise<Answer>
}
