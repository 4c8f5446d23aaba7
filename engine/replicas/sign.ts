/**
 * The text by which a replica shows that it lives: `<incarnation>:<beats>:<standing>:<halts>`, the halts as
 * `timer_error=0,7;stream_missing=2`. Replicas of other releases read and write it too: whoever does not know a part does
 * without it, so parts are added at the end and none is ever taken away.
 */
import type { ErrorCode } from '../errors.js'

/**
 * `busy`: with taking over what it has already claimed. `leaving`: takes nothing any more and gives everything away. `cut_off`: has
 * no connection to NATS, and can do nothing with a partition.
 */
export type Standing = (typeof standings)[number]

const standings = ['ready', 'busy', 'leaving', 'cut_off'] as const

/** Codes of the partitions that a replica owns and has halted. */
export type Halts = ReadonlyMap<number, ErrorCode>

export interface Sign {
  /** One life of a process, `<start, epoch milliseconds>-<uuid>`. */
  readonly incarnation: string
  readonly beats: number
  readonly standing: Standing
  readonly halts: Halts
}

/** At most 5 kB, with 1,024 partitions: each replica reads those of all ten times a lease, so a code stands there once. */
export function writeSign({ incarnation, beats, standing, halts }: Sign): string {
  const byCode = new Map<ErrorCode, number[]>()
  for (const [partition, code] of halts) {
    const partitions = byCode.get(code)
    if (partitions === undefined) byCode.set(code, [partition])
    else partitions.push(partition)
  }
  const parts = [...byCode].map(([code, partitions]) => `${code}=${partitions.join(',')}`)
  return `${incarnation}:${beats}:${standing}:${parts.join(';')}`
}

export function incarnationIn(sign: string): string {
  return sign.split(':')[0]!
}

export function standingIn(sign: string): Standing {
  const [, , written] = sign.split(':')
  return standings.find(standing => standing === written) ?? 'ready'
}

/** A later release may know codes that this one does not; what cannot be a code or a partition is left out. */
export function haltsIn(sign: string): ReadonlyMap<number, string> {
  const halts = new Map<number, string>()
  const [, , , parts = ''] = sign.split(':')
  for (const [, code = '', partitions = ''] of parts.matchAll(/(?<=^|;)([a-z_]+)=([\d,]+)(?=;|$)/g))
    for (const partition of partitions.split(',')) if (partition !== '') halts.set(Number(partition), code)
  return halts
}
