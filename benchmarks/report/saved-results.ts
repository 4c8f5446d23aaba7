/** Results on disk: `benchmarks/results/<question>.json`, one a question, the latest that was saved. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { objectAt, textAt } from './figures.js'

export interface SavedResult {
  readonly question: string
  /** Day of the measurement, ISO 8601. */
  readonly date: string
  /** What was measured; empty when that is not known. */
  readonly commit: string
  readonly machine: Readonly<Record<string, unknown>>
  /** Of the servers and the runtime, in words. */
  readonly versions: string
  /** What the question answered; each question has its own figures. */
  readonly result: Readonly<Record<string, unknown>>
}

/** From `build/benchmarks/report/`. */
export const resultsFolder = fileURLToPath(new URL('../../../benchmarks/results/', import.meta.url))

/** By question. No folder: nothing has been measured. Throws on a file that is no result: it would be missing without a word. */
export async function readSavedResults(folder: string): Promise<Map<string, SavedResult>> {
  const results = new Map<string, SavedResult>()
  for (const file of await filesIn(folder)) {
    if (!file.endsWith('.json')) continue
    const saved: unknown = JSON.parse(await readFile(join(folder, file), 'utf8'))
    const [question, result] = [textAt(saved, 'question'), objectAt(saved, 'result')]
    if (question !== file.slice(0, -'.json'.length) || result === undefined) {
      throw new Error(`"${file}" must hold a result of the question it is named after`)
    }
    const machine = objectAt(saved, 'machine') ?? {}
    const versions = textAt(saved, 'versions') ?? textAt(result, 'versions') ?? ''
    const [date, commit] = [textAt(saved, 'date') ?? '', textAt(saved, 'commit') ?? '']
    results.set(question, { question, date, commit, machine, versions, result })
  }
  return results
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
