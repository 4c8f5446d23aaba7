/** Requests to JetStream while a cluster may be electing. */
import { setTimeout as sleep } from 'node:timers/promises'
import { NatsError } from 'nats'

/** Longer than any election on a busy machine. */
const withinMs = 30_000
/** A node without a leader says so at once. */
const everyMs = 100

/** Asks again as long as nobody answers, or the one who does knows of no leader; then rejects with that. */
export async function answered<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  const deadline = performance.now() + withinMs
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof NatsError && isUnanswered(error)) || performance.now() > deadline) throw error
    }
    await sleep(everyMs)
  }
}

/** Nobody leads, or nobody listens. */
function isUnanswered({ code }: NatsError): boolean {
  return code === 'TIMEOUT' || code === '503'
}
