/** Where figures were taken; without it they mean nothing. */
import { cpus, loadavg, release, totalmem } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly kernel: string
  readonly node: string
  /** Runnable tasks in the minute before the start: above zero, somebody else was at work too. */
  readonly loadBefore: number
}

export function describeMachine(): Machine {
  const all = cpus()
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: release(),
    node: process.version,
    loadBefore: Math.round(loadavg()[0]! * 10) / 10,
  }
}

/** One line. */
export function machineLine({ cpu, cores, memoryGb, kernel, node, loadBefore }: Machine): string {
  return `${cores} cores (${cpu}), ${memoryGb} GB, Linux ${kernel}, Node ${node}, load before the start ${loadBefore}`
}
