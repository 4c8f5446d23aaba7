import { test } from 'tap'
import { MillraceError } from '../../../../engine/errors.js'
import type { Commit, CommitOutcome } from '../../../../engine/index.js'
import { CommitConflict, Committer, noWrites } from '../../../../engine/partition/committer.js'
import { MemoryStore } from '../../../../profiles/memory-store.js'
import { takeOver } from '../../../support/ownership.js'

/** A store whose answers get lost when told, after or before it has written. */
class LossyStore extends MemoryStore {
  readonly commits: Commit[] = []
  /** What happens to the next commits. */
  readonly fates: ('reply lost' | 'request lost' | 'refused')[] = []

  override async commit(partition: number, commit: Commit): Promise<CommitOutcome> {
    this.commits.push(commit)
    const fate = this.fates.shift()
    if (fate === 'refused') throw new MillraceError('authentication_failed', 'refused')
    if (fate === 'request lost') throw new MillraceError('redis_unavailable', 'no reply')
    const outcome = await super.commit(partition, commit)
    if (fate === 'reply lost') throw new MillraceError('redis_unavailable', 'no reply')
    return outcome
  }
}

async function open() {
  const store = new LossyStore()
  const meta = await takeOver(store, 0, 'owner', 'state')
  const failures: Error[] = []
  const committer = new Committer(store, 0, meta.token, meta, {
    commitFailed: error => failures.push(error),
    renewalFailed: error => failures.push(error),
    committed: () => {},
  })
  const aborting = new AbortController()
  const commit = (position: number) =>
    committer.commit({ ...noWrites, meta: { position }, outbox: [Buffer.from(`to ${position}`)] }, aborting.signal)
  return { store, committer, failures, commit, aborting }
}

test('each commit builds on the one before', async t => {
  const { store, committer, commit } = await open()
  await commit(5)
  await commit(9)
  t.equal(committer.position, 9)
  const [first, second] = store.commits
  t.match(first, { previousPosition: 0, previousCommitId: '' })
  t.match(second, { previousPosition: 5, previousCommitId: first!.commitId })
  t.equal((await store.outbox(0)).length, 2)
})

test('a commit without an answer is sent again as it was, and written once', async t => {
  const { store, committer, failures, commit } = await open()
  store.fates.push('request lost', 'reply lost')
  await commit(5)
  t.equal(store.commits.length, 3)
  for (const again of store.commits) t.strictSame(again, store.commits[0])
  t.equal(failures.length, 2)
  t.equal((await store.outbox(0)).length, 1)
  t.equal(committer.position, 5)
  await commit(6)
  t.equal((await store.readMeta(0))!.position, 6)
})

test('a commit that moves no position leaves it', async t => {
  const { committer, commit, aborting } = await open()
  await commit(5)
  await committer.commit({ ...noWrites, meta: {} }, aborting.signal)
  t.equal(committer.position, 5)
  await commit(6)
  t.equal(committer.position, 6)
})

test('another owner is noticed by commits and renewals', async t => {
  const { store, committer, commit, aborting } = await open()
  await committer.renew(aborting.signal)
  await takeOver(store, 0, 'other', 'state')
  await t.rejects(commit(5), { code: 'fenced' })
  await t.rejects(committer.renew(aborting.signal), { code: 'fenced' })
})

test('a state that somebody moved is a conflict', async t => {
  const { store, committer, commit } = await open()
  await commit(5)
  const { token } = (await store.readMeta(0))!
  await store.commit(0, {
    ...noWrites,
    token,
    commitId: 'somebody',
    previousPosition: 5,
    previousCommitId: store.commits[0]!.commitId,
    meta: {},
  })
  const thrown = await commit(6).catch((error: unknown) => error)
  t.ok(thrown instanceof CommitConflict)
  t.equal(committer.position, 5)
})

test('what no waiting mends is not tried again', async t => {
  const { store, commit } = await open()
  store.fates.push('refused')
  await t.rejects(commit(5), { code: 'authentication_failed' })
  t.equal(store.commits.length, 1)
})

test('an abort ends the waiting', async t => {
  const { store, commit, aborting } = await open()
  for (let i = 0; i < 100; i++) store.fates.push('request lost')
  const waiting = commit(5)
  aborting.abort(new Error('enough'))
  await t.rejects(waiting)
  t.ok(store.commits.length < 5)
})

test('the proof of ownership is as old as its question', async t => {
  const { committer, commit } = await open()
  const asked = performance.now()
  await commit(5)
  t.ok(committer.leaseAgeMs <= performance.now() - asked)
  t.ok(committer.leaseAgeMs >= 0)
})

test('an answer that says that the partition is lost does not prove the lease', async t => {
  const { store, committer, aborting } = await open()
  await takeOver(store, 0, 'another', 'state')
  const before = committer.leaseAgeMs
  await t.rejects(committer.renew(aborting.signal), { code: 'fenced' })
  t.ok(committer.leaseAgeMs >= before)
})
