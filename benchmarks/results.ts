/** Figures for programs: one object on stdout, and a file for each question. */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Machine } from './harness/machine.js'
import { resultsFolder } from './report/saved-results.js'

const run = promisify(execFile)

type Figures = Readonly<Record<string, unknown>>

/** Comparisons on a workload; the first of them that was asked stands at the top level. */
const workloads = ['personalization', 'yahoo', 'shufflebench', 'nexmark']

/** The comparison's own figures and the machine, with every other answer under its question's name. */
export function jsonOf(machine: Machine, answers: ReadonlyMap<string, Figures>): Figures {
  const top = workloads.find(name => answers.has(name))
  const others = [...answers].filter(([name]) => name !== top)
  return { ...(top !== undefined && { workload: top, ...answers.get(top) }), machine, ...Object.fromEntries(others) }
}

/** Keeps an answer in `benchmarks/results/`, where the report finds it. */
export async function saveAnswer(question: string, machine: Machine, result: Figures): Promise<void> {
  await mkdir(resultsFolder, { recursive: true })
  const date = new Date().toISOString().slice(0, 10)
  const saved = { question, date, commit: await commitOf(), machine, versions: result['versions'], result }
  await writeFile(join(resultsFolder, `${question}.json`), `${JSON.stringify(saved, null, 2)}\n`)
}

/** What was measured; `undefined` outside a clone. Says when it was changed since, saved answers and the page aside. */
async function commitOf(): Promise<string | undefined> {
  const git = async (...words: string[]) =>
    (await run('git', words, { cwd: join(resultsFolder, '../..') })).stdout.trim()
  try {
    const commit = await git('rev-parse', '--short', 'HEAD')
    const changes = await git('status', '--porcelain', '--', '.', ':!benchmarks/results', ':!docs')
    return changes === '' ? commit : `${commit}, changed since`
  } catch {
    return undefined
  }
}
