/** The stored baseline, one for each major version of Node: a new one compiles the two sides of a ratio differently. */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ratioNames, type Baseline } from './verdict.js'

/** From `build/benchmarks/gate/`. */
export const baselineFile = fileURLToPath(new URL('../../../benchmarks/gate/baseline.json', import.meta.url))

/** By major version, `"20"`. */
type Stored = Readonly<Record<string, Baseline>>

/** `undefined` when there is none for this version of Node. Throws on a file that is not a baseline. */
export async function readBaseline(file: string, nodeVersion: string): Promise<Baseline | undefined> {
  const baseline = (await readStored(file))[majorOf(nodeVersion)]
  if (baseline === undefined) return undefined
  for (const name of ratioNames) {
    if (!(baseline[name] > 0)) throw new Error(`"${name}" of ${file} must be above zero, got ${String(baseline[name])}`)
  }
  return baseline
}

/** Replaces that of this version of Node and leaves the others. */
export async function writeBaseline(file: string, nodeVersion: string, baseline: Baseline): Promise<void> {
  const rounded = Object.fromEntries(ratioNames.map(name => [name, Number(baseline[name].toFixed(3))]))
  const stored = { ...(await readStored(file)), [majorOf(nodeVersion)]: rounded }
  await writeFile(file, `${JSON.stringify(stored, null, 2)}\n`)
}

async function readStored(file: string): Promise<Stored> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Stored
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

/** `v20.20.1` to `20`. */
function majorOf(nodeVersion: string): string {
  return /^v(\d+)\./.exec(nodeVersion)![1]!
}
