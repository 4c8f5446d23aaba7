/** What the replicas have written down about a run. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Violations } from '../oracle/violations.js'
import type { Rig } from './rig.js'

/** Halts by reason, each time a replica has halted a partition. */
export type Halts = Readonly<Record<string, number>>

/** Counts halts, and looks for the planted marker in every line. */
export async function readLogs(rig: Rig, marker: string, violations: Violations): Promise<Halts> {
  const halts: Record<string, number> = {}
  for (const file of rig.replicas.flatMap(({ logFiles }) => logFiles)) {
    const lines = (await readFile(file, 'utf8')).split('\n')
    lines.forEach((line, i) => {
      if (line.includes(marker)) violations.add('marker_in_log', `${basename(file)}:${i + 1}`)
      if (!line.includes('"partition is halted"')) return
      const { error } = JSON.parse(line) as { error: { code: string } }
      halts[error.code] = (halts[error.code] ?? 0) + 1
    })
  }
  return halts
}
