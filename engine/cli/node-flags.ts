/**
 * How Node is to be called for a process of the engine: the first line of `main.ts` says it, and so must whoever starts one
 * by Node's own path. None can be changed once Node runs.
 *
 * Collecting the young generation costs what lives in it, which is what the partitions have in flight, however seldom it is
 * done. Twice the usual size halves it: 10 % of the engine's processor time for 40 MB.
 *
 * The collector's helper threads take the cores from NATS and Redis at the moment at which everybody waits for the engine: with the
 * usual four p99 at 10,000 events/s on two cores was 25 ms instead of 11. With none at all the engine searches the heap by itself,
 * 65 to 90 ms of work within 120 ms every few seconds: at 32,000 events/s p99 was 41 to 117 ms instead of 24 to 77. One is enough
 * for that.
 *
 * While the engine starts much lives shortly, and V8 concludes that the heap must be searched often: every five seconds at 10,000
 * events/s, each time with 50 to 100 ms in which triggers wait. From this size on it may.
 */
export const nodeFlags = ['--max-semi-space-size=32', '--initial-old-space-size=160', '--v8-pool-size=1'] as const
