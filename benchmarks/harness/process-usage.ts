/** What the kernel knows about a process: processor time and memory, all threads included. Linux only. */
import { readFileSync } from 'node:fs'

/** USER_HZ is 100 on every Linux that Node supports (proc_pid_stat(5)), so processor time comes in steps of 10 ms. */
const tickMs = 10

/** User and system time that a running process has used, milliseconds. */
export function cpuMsOf(pid: number): number {
  return parseCpuMs(readFileSync(`/proc/${pid}/stat`, 'latin1'))
}

/** The most memory that a running process has held, MB of 1,000,000 bytes. */
export function peakRssMbOf(pid: number): number {
  return parsePeakRssMb(readFileSync(`/proc/${pid}/status`, 'latin1'))
}

/** `utime` and `stime` of a line of `/proc/<pid>/stat`. */
export function parseCpuMs(stat: string): number {
  // Field 2 is the program's name in parentheses and may hold anything; the fields after it are counted from 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system] = [fields[14 - 3], fields[15 - 3]].map(Number)
  return (user! + system!) * tickMs
}

/** `VmHWM` of `/proc/<pid>/status`. */
export function parsePeakRssMb(status: string): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
  return (Number(kib) * 1024) / 1e6
}
