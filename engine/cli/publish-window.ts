/** Events on their way: published, not yet acknowledged. Bounded, so that a fast file does not fill the memory. */

/** What the command needs of the broker; `engine/nats/publisher.ts` has it. */
export interface EventPublisher {
  /** `fields` are header names and values in turn. `done` is called exactly once. */
  publish(
    subject: string,
    payload: Uint8Array,
    fields: readonly string[],
    done: (failure: Error | undefined, isDuplicate: boolean) => void,
  ): void
}

const maxEvents = 1000
const maxBytes = 8 * 1024 * 1024

export class PublishWindow {
  acknowledged = 0
  /** Of the acknowledged, those that the stream already had. */
  duplicates = 0
  /** The first failure. Nothing is sent again: without a message id that could store an event twice. */
  failure: { readonly line: number; readonly error: Error } | undefined
  #events = 0
  #bytes = 0
  #wake: (() => void) | undefined

  constructor(private readonly publisher: EventPublisher) {}

  /** Call `room` before. */
  publish(line: number, subject: string, payload: Uint8Array, fields: readonly string[]): void {
    this.#events++
    this.#bytes += payload.length
    this.publisher.publish(subject, payload, fields, (error, isDuplicate) => {
      this.#events--
      this.#bytes -= payload.length
      if (error === undefined) this.acknowledged++
      else this.failure ??= { line, error }
      if (error === undefined && isDuplicate) this.duplicates++
      this.#wake?.()
    })
  }

  /** Resolves when one more event may go out. */
  room(): Promise<void> {
    return this.#until(() => this.#events < maxEvents && this.#bytes < maxBytes)
  }

  /** Resolves when everything is acknowledged or has failed. */
  drained(): Promise<void> {
    return this.#until(() => this.#events === 0)
  }

  async #until(isMet: () => boolean): Promise<void> {
    while (!isMet()) await new Promise<void>(resolve => (this.#wake = resolve))
  }
}
