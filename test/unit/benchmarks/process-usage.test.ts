import t from 'tap'
import { cpuMsOf, parseCpuMs, parsePeakRssMb, peakRssMbOf } from '../../../benchmarks/harness/process-usage.js'

// proc_pid_stat(5): field 14 is utime, 15 stime, in ticks of 10 ms; fields 16 and 17 are those of children.
const stat = (name: string) =>
  `4242 (${name}) S 1 4242 4242 0 -1 4194560 9 8 7 6 250 30 999 999 20 0 11 0 12345 1 2 3 4 5 6`

t.test('processor time is user and system time of the process itself', async t => {
  t.equal(parseCpuMs(stat('node')), 2_800)
})

t.test('a name with spaces and parentheses does not shift the fields', async t => {
  t.equal(parseCpuMs(stat('a) R 1 (b')), 2_800)
})

t.test('memory is the peak, in megabytes', async t => {
  t.equal(parsePeakRssMb('Name:\tnode\nVmPeak:\t 9 kB\nVmHWM:\t  250000 kB\nVmRSS:\t  100 kB\n'), 256)
})

t.test('this process is found', async t => {
  t.ok(cpuMsOf(process.pid) > 0)
  t.ok(peakRssMbOf(process.pid) > 1)
})
