/** One waiter and anything that may wake it. A wake while nobody waits is kept, so none is missed. */
export class Wakeup {
  #isSet = false
  #resolve: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  wake(): void {
    if (this.#resolve === undefined) {
      this.#isSet = true
      return
    }
    clearTimeout(this.#timer)
    const resolve = this.#resolve
    this.#resolve = undefined
    resolve()
  }

  /** Resolves at the next wake, or after `ms`. */
  wait(ms: number): Promise<void> {
    if (this.#isSet) {
      this.#isSet = false
      return Promise.resolve()
    }
    return new Promise(resolve => {
      this.#resolve = resolve
      this.#timer = setTimeout(() => this.wake(), ms)
    })
  }
}
