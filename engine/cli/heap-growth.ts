/**
 * How often the collector searches the whole heap. Each time takes a tenth of a second of a core or more, in which triggers wait.
 *
 * V8 knows growth only as a share of what lives, and on a machine with much memory lets a heap grow to four times that: too
 * often where little lives, too much memory where many profiles do. Here the heap may grow by the same amount either way, from the
 * second collection on: the share that the first one leaves behind was set before anybody knew what lives.
 */
import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

const headroomMb = 64
/** V8 counts the first part of a heap that has not been searched yet as lost. */
const leastLivingMb = 32

/** For the rest of the process. */
export function boundHeapGrowth(): void {
  growBy(leastLivingMb)
  const observer = new PerformanceObserver(list => {
    if (list.getEntries().some(isMajorCollection)) growBy(livingMb())
  })
  observer.observe({ entryTypes: ['gc'] })
}

/** V8 reads the share at the end of a collection, for the time until the next one. */
function growBy(living: number): void {
  const percent = Math.round((100 * headroomMb) / Math.max(living, leastLivingMb))
  setFlagsFromString(`--heap-growing-percent=${percent}`)
}

/** Without the young generation, which is collected for itself. */
function livingMb(): number {
  const old = getHeapSpaceStatistics().filter(({ space_name: name }) => !name.startsWith('new_'))
  return old.reduce((sum, space) => sum + space.space_used_size, 0) / 2 ** 20
}

function isMajorCollection(entry: PerformanceEntry & { readonly detail?: { readonly kind?: number } }): boolean {
  return entry.detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR
}
