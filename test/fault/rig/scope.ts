/** Closes what was opened, last first, as a test does at its end; for the runner, which is no test. */
import type { TestScope } from '../../support/servers.js'

export class Scope implements TestScope {
  readonly #closers: (() => unknown)[] = []

  teardown(close: () => unknown): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    const failures: unknown[] = []
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be closed')
  }
}
