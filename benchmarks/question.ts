/** What a benchmark is to the command: a question, and a way to its answer. */

export interface BenchOptions {
  readonly events: number
  readonly rounds: number
  readonly seed: number
  /** Events a second where the load is open loop. */
  readonly rate: number
  /** How long such a load lasts. */
  readonly seconds: number
  /** Folder for processor profiles of the engine, one a round. */
  readonly cpuProf: string | undefined
}

export interface Answer {
  /** For people. */
  readonly text: string
  /** For programs; the answers of several questions are merged. */
  readonly json: Readonly<Record<string, unknown>>
}

export interface Question {
  readonly name: string
  /** The question itself, a sentence. */
  readonly asks: string
  /** `say` is told what happens meanwhile. */
  answer(options: BenchOptions, say: (line: string) => void): Promise<Answer>
}
