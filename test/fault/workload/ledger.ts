/** Which events the broker has acknowledged, and how often each is stored. An event's number is in its message id. */
import type { StoredMessage } from '../oracle/stored-messages.js'
import type { Violations } from '../oracle/violations.js'

export class Ledger {
  #acknowledged = new Uint8Array(1 << 16)
  #count = 0

  /** `run` tells this run's ids from all others. */
  constructor(private readonly run: string) {}

  /** How many events are acknowledged. */
  get count(): number {
    return this.#count
  }

  messageId(number: number): string {
    return `${this.run}-${number}`
  }

  acknowledge(number: number): void {
    while (number >= this.#acknowledged.length) {
      const larger = new Uint8Array(2 * this.#acknowledged.length)
      larger.set(this.#acknowledged)
      this.#acknowledged = larger
    }
    if (this.#acknowledged[number] === 0) this.#count++
    this.#acknowledged[number] = 1
  }

  /** Counts stored events; `finish` then says which acknowledged ones are missing. */
  audit(violations: Violations): { take(message: StoredMessage): void; finish(): void } {
    const stored = new Set<number>()
    return {
      take: ({ header, seq }) => {
        const number = this.#numberOf(header('Nats-Msg-Id'))
        if (number === undefined) return
        if (stored.has(number)) violations.add('acknowledged_once', `event ${number} is stored again as ${seq}`)
        stored.add(number)
      },
      finish: () => {
        this.#acknowledged.forEach((isAcknowledged, number) => {
          if (isAcknowledged === 1 && !stored.has(number)) {
            violations.add('acknowledged_once', `event ${number} was acknowledged and is not stored`)
          }
        })
      },
    }
  }

  #numberOf(messageId: string): number | undefined {
    return messageId.startsWith(`${this.run}-`) ? Number(messageId.slice(this.run.length + 1)) : undefined
  }
}
