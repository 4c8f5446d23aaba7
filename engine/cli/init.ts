/**
 * In a container the program is usually process 1, and the kernel shields that from signals of its own processes, SIGKILL included:
 * the watchdog could not end it. So there the program starts itself once more, passes signals on and ends as that one does.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'

export const isInit = process.pid === 1

/** Runs this program with these arguments in a process of its own, until it ends; gives its exit code, 128 and more for a signal. */
export async function runAsChild(): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const) {
    process.on(signal, () => {
      // A terminal gives Ctrl-C to both.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return signal === null ? code! : 128 + constants.signals[signal]
}
