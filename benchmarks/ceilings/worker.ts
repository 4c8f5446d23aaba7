/** Entry of a measured process: prepares the task it is named after, says so, and runs it when told. */
import { once } from 'node:events'
import { prepareHeap, type HeapJob } from '../memory/heap-task.js'
import { prepareCodec } from './codec.js'
import { prepareCommits } from './commit.js'
import { prepareFold } from './fold.js'
import { prepareReader } from './reader.js'
import { prepareMicro, type MicroJob } from './micro-task.js'
import { prepareRecording } from './record-commits.js'
import type { Job, Prepare } from './task.js'

const tasks: Record<string, Prepare | Prepare<MicroJob> | Prepare<HeapJob>> = {
  reader: prepareReader,
  commit: prepareCommits,
  fold: prepareFold,
  record: prepareRecording,
  micro: prepareMicro,
  codec: prepareCodec,
  heap: prepareHeap,
}

const prepare = tasks[process.argv[2]!]! as Prepare<Job & MicroJob & HeapJob>
const [job] = (await once(process, 'message')) as [Job & MicroJob & HeapJob]
const task = await prepare(job)
const told = once(process, 'message')
process.send!({ ready: true })
await told
process.send!({ result: await task.run() })
// The other side reads this process's counters before it lets go.
await once(process, 'disconnect')
await task.close()
process.exit(0)
