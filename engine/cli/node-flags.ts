/**
 * How Node is to be called for a process of the engine: the first line of `main.ts` says it, and so must whoever starts one
 * by Node's own path. Neither can be changed once Node runs.
 *
 * Collecting the young generation costs what lives in it, which is what the partitions have in flight, however seldom it is
 * done. Twice the usual size halves it: 10 % of the engine's processor time for 40 MB.
 *
 * The collector's helper threads take the cores from NATS and Redis at the moment at which everybody waits for the engine. Without
 * them an event costs 8 % less, and at 10,000 events/s on two cores p99 fell from 25 to 11 ms.
 *
 * While the engine starts much lives shortly, and V8 concludes that the heap must be searched often: every five seconds at 10,000
 * events/s, each time with 50 to 100 ms in which triggers wait. From this size on it may.
 */
export const nodeFlags = ['--max-semi-space-size=32', '--initial-old-space-size=160', '--single-threaded-gc'] as const
