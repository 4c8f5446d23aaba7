/** Sees from outside whether anybody but the owner of a partition writes to it. */
import type { Violations } from '../oracle/violations.js'

type Meta = Readonly<Record<string, string>>

export class OwnerWatch {
  #before: readonly Meta[] = []

  constructor(private readonly violations: Violations) {}

  /**
   * Between two looks at the same owner, what was committed must be the owner's: commits are named after tokens. A partition that
   * is free at both looks may have had an owner in between.
   */
  look(metas: readonly Meta[]): void {
    metas.forEach(({ token = '', commit_id: commitId = '' }, partition) => {
      const before = this.#before[partition]
      if (
        token === '' ||
        before?.['token'] !== token ||
        before['commit_id'] === commitId ||
        commitId.startsWith(`${token}:`)
      )
        return
      this.violations.add('owner_writes', `partition ${partition} of ${token} was written by ${commitId}`)
    })
    this.#before = metas
  }

  /** What was seen counts no more: Redis was brought back. */
  forget(): void {
    this.#before = []
  }
}
