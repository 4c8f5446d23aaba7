/** What an interrupt does to commands that decide about a whole generation: nothing that cannot be taken back. */
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { rebuildDrop } from '../../../../engine/cli/rebuild-drop.js'
import { rebuildSwitch } from '../../../../engine/cli/rebuild.js'
import type { Services } from '../../../../engine/cli/services.js'
import { MemoryStore } from '../../../../profiles/memory-store.js'
import { bytes, next } from '../../../conformance/store-kinds.js'
import { takeOver } from '../../../support/ownership.js'

const pipelineFile = join(import.meta.dirname, '../../../../../examples/shop/pipeline.ts')
const partitions = 16

/** The first generation is in force and has a timer that is due, the second one follows it. */
async function underConstruction() {
  const store = new MemoryStore()
  const second = store.at(2)
  for (let partition = 0; partition < partitions; partition++) {
    const meta = await takeOver(store, partition, 'old', 'state')
    const due = { meta: { now: 1_000, streamCreated: 'then' }, timers: [{ key: 'ada', dueAt: 500 }] }
    await store.commit(partition, next(meta, 'c1', due))
    const follower = await takeOver(second, partition, 'new', 'state-2')
    const building = { phase: 'building', streamCreated: 'then' } as const
    const profiles = [{ key: 'ada', bytes: bytes('A') }]
    await second.commit(partition, next(follower, 'c1', { meta: building, profiles }))
  }
  return { store, second }
}

/** Services in which an interrupt comes with the first pause, unless told otherwise. */
function interruptible(t: Test, store: MemoryStore, isInterrupted = true) {
  const interrupting = new AbortController()
  let said = ''
  const stream = {
    write: (text: unknown) => {
      said += String(text)
    },
  }
  const services = {
    openStore: () => store,
    io: { stdout: stream, stderr: stream, env: {} },
    sleep: async () => (isInterrupted ? interrupting.abort() : undefined),
    interrupted: interrupting.signal,
  } as unknown as Services
  const settings = JSON.stringify({ generation: 2, pipeline: pipelineFile })
  const options = { config: join(t.testdir({ 'millrace.yaml': settings }), 'millrace.yaml'), pipeline: undefined }
  return { services, options, said: () => said }
}

test('a switch that is interrupted while a timer is due takes no timer for fired', async t => {
  const { store } = await underConstruction()
  const { services, options, said } = interruptible(t, store)
  t.equal(await rebuildSwitch({ ...options, maxLag: 0 }, services), 1)
  t.match(said(), 'interrupted: partition 0 and those after it are not switched')
  for (let partition = 0; partition < partitions; partition++) {
    t.equal((await store.readMeta(partition))!.phase, '', 'the generation before is in force')
  }
})

test('a switch waits for timers as long as the owner commits, and no longer', async t => {
  const { store } = await underConstruction()
  const { services, options, said } = interruptible(t, store, false)
  let pauses = 0
  const sleep = async (): Promise<void> => {
    // The first partition fires one after the other, for longer than anybody waits for an owner that does nothing.
    if (++pauses > 50) return
    const meta = (await store.readMeta(0))!
    const timers = pauses === 50 ? [{ key: 'ada', dueAt: Infinity }] : []
    t.equal(await store.commit(0, next(meta, `fired-${pauses}`, { timers })), 'ok')
  }
  t.equal(await rebuildSwitch({ ...options, maxLag: 0 }, { ...services, sleep }), 0)
  t.notMatch(said(), 'partition 0: timers')
  t.match(said(), 'partition 1: timers that were due and not fired are taken for fired\n')
  for (let partition = 0; partition < partitions; partition++) {
    t.equal((await store.readMeta(partition))!.phase, 'sealed')
  }
})

test('a drop that is interrupted before it knows whether an engine builds the generation deletes nothing', async t => {
  const { store, second } = await underConstruction()
  const { services, options, said } = interruptible(t, store)
  t.equal(await rebuildDrop({ ...options, generation: 2 }, services), 1)
  t.match(said(), 'nothing was deleted')
  t.strictSame(await second.load(0, ['ada']), [bytes('A')])
})

test('a drop that dies after it has deleted something leaves nothing that is switched to', async t => {
  const { store, second } = await underConstruction()
  const { services, options, said } = interruptible(t, store, false)
  const clear = second.clear.bind(second)
  second.clear = async () => {
    await clear()
    throw new Error('killed')
  }
  await t.rejects(rebuildDrop({ ...options, generation: 2 }, services), { message: 'killed' })
  t.strictSame(await second.load(0, ['ada']), [undefined])
  t.equal(await rebuildSwitch({ ...options, maxLag: 0 }, services), 1)
  t.match(said(), 'partition 0: "rebuild drop" has begun to delete it and must be run again\n')
  t.match(said(), 'nothing was switched')
  t.equal((await store.readMeta(0))!.phase, '', 'the generation before is in force')
})
