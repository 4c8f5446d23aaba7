/** Which answers of JetStream to a new stream are for good: no waiting mends them, so the start ends with them. */
import { NatsError } from 'nats'

/**
 * By JetStream's own code; the one like HTTP's beside it does not tell: 10074 is a 500 and 10005 a 400. Here are only answers that follow from
 * the server's configuration, the account's limits or the streams that there are. Every other one is asked again, because it may pass: no leader
 * (10008), no servers for the replicas, as while they start (10005), no memory or disk (10023, 10028, 10047), and a stream of
 * this name that somebody has just created otherwise (10058), which the next look compares. An unknown code only costs time: the
 * log says what is waited for.
 */
const refusals: ReadonlySet<number> = new Set([
  10027, // the account has as many streams as it may have
  10052, // the settings contradict each other: ids remembered for longer than messages are kept, too many replicas
  10065, // another stream has some of the subjects
  10074, // several replicas on a server that is configured without a cluster; one that starts in a cluster never says it
  10113, // the account demands a limit of bytes
  10120, // the account has no limits for so many replicas
])

/** The server's reason for never creating a stream as it was asked for; `undefined` for anything that may pass. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof NatsError) || error.api_error === undefined) return undefined
  const { err_code, description } = error.api_error
  return err_code !== undefined && refusals.has(err_code) ? description : undefined
}
