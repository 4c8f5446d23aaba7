import { join } from 'node:path'
import t from 'tap'
import { readRecording, RecordingWriter, shapeOf } from '../../../benchmarks/ceilings/recording.js'
import type { Commit } from '../../../engine/store.js'

const commit: Commit = {
  token: '1:owner',
  commitId: '1:owner:7',
  previousPosition: 3,
  previousCommitId: '1:owner:6',
  meta: { position: 9, anchor: '9:1:ab' },
  profiles: [
    { key: 'a', bytes: Buffer.from([1, 2, 3, 4]) },
    { key: 'b', bytes: undefined },
  ],
  profileTtlMs: undefined,
  timers: [{ key: 'a', dueAt: Infinity }],
  memory: [{ stage: 'dedupe', bucket: 4, bytes: Buffer.from('12345678') }],
  outbox: [Buffer.from('entry')],
  trim: 2,
}

t.test('what was written comes back in order, without what ties a commit to its run', async t => {
  const path = join(t.testdir(), 'commits')
  const writer = new RecordingWriter(path)
  writer.write(5, commit)
  writer.write(6, { ...commit, profiles: [], trim: 0 })
  writer.close()
  const { meta, profiles, profileTtlMs, timers, memory, outbox } = commit
  const [first, second] = readRecording(path)
  t.strictSame(first, { partition: 5, writes: { meta, profiles, profileTtlMs, timers, memory, outbox, trim: 2 } })
  t.ok(Buffer.isBuffer(first?.writes.profiles[0]?.bytes), 'bytes are Buffers again')
  t.equal(second?.partition, 6)
  t.equal(second?.writes.trim, 0)
})

t.test('the shape of a recording is counted over all its commits', async t => {
  const { meta, profiles, profileTtlMs, timers, memory, outbox, trim } = commit
  const writes = { meta, profiles, profileTtlMs, timers, memory, outbox, trim }
  t.strictSame(
    shapeOf(
      [
        { partition: 0, writes },
        { partition: 1, writes },
      ],
      100,
    ),
    {
      commits: 2,
      eventsPerCommit: 50,
      profilesPerCommit: 2,
      bytesPerProfile: 2,
      outboxEntries: 2,
      timers: 2,
      megabytes: (2 * (4 + 5 + 8)) / 1e6,
    },
  )
})
