/** How much processor time the machine's host gave to others while this machine wanted it. Linux only. */
import { readFileSync } from 'node:fs'

interface ProcessorTime {
  readonly stolen: number
  readonly all: number
}

/** Measures from its making on. */
export class StolenTime {
  readonly #before = read()

  /** Share of all processors' time since the start, 0 to 1. */
  share(): number {
    const now = read()
    const all = now.all - this.#before.all
    return all === 0 ? 0 : (now.stolen - this.#before.stolen) / all
  }
}

function read(): ProcessorTime {
  return parseProcessorTime(readFileSync('/proc/stat', 'latin1'))
}

/** Of the first line of `/proc/stat`, proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal; guests are in user. */
export function parseProcessorTime(stat: string): ProcessorTime {
  const times = stat.slice(0, stat.indexOf('\n')).split(/\s+/).slice(1, 9).map(Number)
  return { stolen: times[7]!, all: times.reduce((sum, time) => sum + time, 0) }
}
