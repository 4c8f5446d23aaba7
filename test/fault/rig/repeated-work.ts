/** How much of a partition's work was done again because it changed hands, from what the replicas have noted. */
import { readFile } from 'node:fs/promises'
import type { Ownership } from '../replica/ownerships.js'

interface Held extends Ownership {
  /** Which process. */
  readonly file: string
}

/**
 * Events that an owner was given although another process before it had worked on them; of the hand-over with the most. `undefined`
 * when a process did not come to write its notes.
 */
export async function mostRepeated(files: readonly string[]): Promise<number | undefined> {
  const read = files.map(async file => {
    const noted = JSON.parse(await readFile(file, 'utf8')) as Ownership[]
    return noted.map((ownership): Held => ({ ...ownership, file }))
  })
  const held = await Promise.all(read).catch(() => undefined)
  return held === undefined ? undefined : repeatedOf(held.flat())
}

function repeatedOf(held: readonly Held[]): number {
  let most = 0
  const before = new Map<number, { file: string; last: number }>()
  for (const { partition, file, first, last } of [...held].sort((a, b) => a.since - b.since)) {
    const previous = before.get(partition)
    if (previous !== undefined && previous.file !== file) {
      most = Math.max(most, first.filter(seq => seq <= previous.last).length)
    }
    before.set(partition, { file, last: Math.max(last, previous?.last ?? -1) })
  }
  return most
}
