/**
 * Losses, each as a run of its own: every partition halts for the right reason, and once a person has accepted the loss, what is left
 * is processed as if nothing had been. Alone and with nothing under way, because only then it can be said exactly what is lost.
 */
import type { TestScope } from '../../support/servers.js'
import type { Loss } from '../nemesis/losses.js'
import type { Violation } from '../oracle/violations.js'
import type { Halts } from '../rig/logs.js'
import { Scope } from '../rig/scope.js'
import { Directed, type DirectedOptions } from './directed.js'

export interface LossResult {
  readonly violations: readonly Violation[]
  readonly halts: Halts
  /** Logs and configurations are kept here after a violation. */
  readonly folder: string
}

/** Throws when the loss cannot be brought about. */
export async function runLoss(t: TestScope, { inject }: Loss, options: DirectedOptions): Promise<LossResult> {
  const run = await Directed.start(t, options)
  await run.publish(3_000)
  await run.still()
  await inject(run)
  await run.acceptLoss()
  await run.publish(2_000)
  await run.still()
  return { violations: await run.verdict(), halts: run.halts, folder: run.rig.folder }
}

/** One after the other. What cannot be brought about is a violation. */
export async function runLosses(
  losses: readonly Loss[],
  options: DirectedOptions,
  say: (line: string) => void,
): Promise<Omit<LossResult, 'folder'>> {
  const violations: Violation[] = []
  const halts: Record<string, number> = {}
  for (const loss of losses) {
    const scope = new Scope()
    say(`${loss.name}: ${loss.what}`)
    try {
      const result = await runLoss(scope, loss, options)
      for (const [reason, count] of Object.entries(result.halts)) halts[reason] = (halts[reason] ?? 0) + count
      for (const { invariant, detail } of result.violations) {
        violations.push({ invariant, detail: `${loss.name}: ${detail}; logs are in ${result.folder}` })
      }
    } catch (error) {
      violations.push({ invariant: 'not_recovered', detail: `${loss.name}: ${String(error)}` })
    } finally {
      await scope.close().catch((error: unknown) => say(`${loss.name}: ${String(error)}`))
    }
  }
  return { violations, halts }
}
