/**
 * "Look at the leases", from replica to replica, so that a partition that was given up is taken at once and not at the next
 * look. Plain messages that nobody stores or waits for: one that is lost costs a moment.
 */
import type { NatsConnection, Subscription } from 'nats'

export class LeaseHints {
  readonly #subscription: Subscription

  constructor(
    private readonly connection: NatsConnection,
    private readonly subject: string,
    onHint: () => void,
  ) {
    // A refused subscription comes as an error; then the replicas look at their own pace.
    this.#subscription = connection.subscribe(subject, { callback: error => error === null && onHint() })
  }

  send(): void {
    if (this.connection.isClosed() || this.connection.isDraining()) return
    this.connection.publish(this.subject)
  }

  close(): void {
    this.#subscription.unsubscribe()
  }
}
