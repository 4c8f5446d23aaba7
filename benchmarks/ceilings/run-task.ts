/** Runs a task in a fresh process, so that every measurement starts with cold code and its own heap, like the engine's. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { nodeFlags } from '../../engine/cli/node-flags.js'
import { Meter, type Measurement } from '../harness/meter.js'
import type { Rig } from '../harness/rig.js'
import type { Job } from './task.js'

const worker = fileURLToPath(new URL('./worker.js', import.meta.url))

/** Measures what the task does with all events of the job. */
export async function measureTask(rig: Rig, name: string, job: Job): Promise<Measurement> {
  const events = job.counts.reduce((sum, count) => sum + count, 0)
  let measurement: Measurement | undefined
  await inProcess(name, job, async (child, run) => {
    const meter = new Meter(rig.processes(child.pid!))
    await run()
    measurement = meter.read(events)
  })
  return measurement!
}

/** Only what the task says. */
export async function runTask<Result>(name: string, job: object): Promise<Result> {
  let result: unknown
  await inProcess(name, job, async (_child, run) => {
    result = await run()
  })
  return result as Result
}

async function inProcess(
  name: string,
  job: object,
  use: (child: ChildProcess, run: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const child = fork(worker, [name], { serialization: 'advanced', execArgv: [...nodeFlags] })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const exit = once(child, 'exit')
  const failed = exit.then(([code]) => {
    throw new Error(`task "${name}" ended with ${code}`)
  })
  failed.catch(() => undefined) // seen by whoever waits for a message
  const next = async () => ((await Promise.race([once(child, 'message'), failed])) as [{ result?: unknown }])[0]
  const ready = next()
  child.send(job)
  await ready
  await use(child, async () => {
    const result = next()
    child.send({ run: true })
    return (await result).result
  })
  child.disconnect()
  await exit
  process.off('exit', kill)
}
