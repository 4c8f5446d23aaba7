/** Writes `docs/benchmarks.md` and its plots from the saved results. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { published } from '../published.js'
import { allQuestions, usualQuestions } from '../questions/index.js'
import { renderReport, type Report } from './document.js'
import { readSavedResults, resultsFolder } from './saved-results.js'

/** From `build/benchmarks/report/`. */
const root = new URL('../../../', import.meta.url)
const templateFile = fileURLToPath(new URL('benchmarks/report/template.md', root))

/** Where the page is, and its folder of plots beside it. */
export const docsFolder = fileURLToPath(new URL('docs/', root))
export const pageName = 'benchmarks.md'
export const plotsFolder = 'benchmarks'

/** What the page must be now. */
export async function makeReport(): Promise<Report> {
  const questions = allQuestions.map(({ name, asks }) => {
    return { name, asks, isUsual: usualQuestions.some(usual => usual.name === name) }
  })
  const [template, results] = await Promise.all([readFile(templateFile, 'utf8'), readSavedResults(resultsFolder)])
  return renderReport({ template, results, published, questions })
}

/** Replaces the page and all plots. */
export async function writeReport(): Promise<void> {
  const { markdown, plots } = await makeReport()
  const folder = join(docsFolder, plotsFolder)
  await mkdir(folder, { recursive: true })
  for (const file of await readdir(folder)) if (file.endsWith('.svg')) await rm(join(folder, file))
  for (const { file, svg } of plots) await writeFile(join(folder, file), svg)
  await writeFile(join(docsFolder, pageName), markdown)
}
