/** Closes what was opened, last first, as a test does at its end; for the runner, which is no test. */
import type { TestScope } from '../../support/servers.js'

export class Scope implements TestScope {
  readonly #closers: (() => unknown)[] = []

  teardown(close: () => unknown): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close()
  }
}
