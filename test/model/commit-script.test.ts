/**
 * The model's store, the memory store and the real scripts in Redis are one protocol: the same random calls, right and wrong,
 * repeated and out of order, get the same answers and leave the same behind.
 */
import { test, type Test } from 'tap'
import type { Claim, Commit, CommitOutcome, ProfileStore } from '../../engine/index.js'
import { seeded, type Random } from '../../examples/shop/random.js'
import { MemoryStore } from '../../profiles/memory-store.js'
import { RedisStore } from '../../profiles/redis-store.js'
import { startRedis } from '../support/servers.js'
import type { WithoutRules } from './rules.js'
import { ModelStore } from './store.js'

const sequences = 30
const replayed = process.env.MILLRACE_MODEL_SEED
const seeds = replayed === undefined ? Array.from({ length: sequences }, (_, i) => i + 1) : [Number(replayed)]
const callsEach = 80
const keys = ['ada', 'bob', 'cyd']
const partition = 3

type Model = ModelStore<{ anchor: string; now: number }, string, string>

type Call =
  | { readonly name: 'acquire'; readonly claim: Claim }
  | { readonly name: 'renew'; readonly token: string; readonly commitId: string }
  | { readonly name: 'release'; readonly token: string }
  | { readonly name: 'commit'; readonly commit: Commit }

/** What the protocol is about; a partition that was never acquired holds nothing. */
interface Contents {
  readonly token: string
  readonly replica: string
  readonly renewals: number
  readonly commitId: string
  readonly position: number
  readonly anchor: string
  readonly now: number
  readonly profiles: readonly (string | undefined)[]
  readonly outbox: readonly string[]
}

test('the scripts and the memory store answer as the model does', async t => {
  const { url } = await startRedis(t)
  const answers = new Map<string, number>()
  for (const seed of seeds) {
    const redis = new RedisStore({ url }, `pipeline-${seed}`)
    t.teardown(() => redis.close())
    await redis.verify()
    await compare(t, seed, modelStore(), { redis, memory: new MemoryStore() }, answers)
  }
  t.pass(`${seeds.length} sequences`)
  if (replayed !== undefined) return
  for (const answer of ['renew ok', 'renew fenced', 'renew conflict', 'release ok', 'release fenced']) {
    t.ok((answers.get(answer) ?? 0) > sequences / 2, `${answer} was met`)
  }
  for (const answer of ['commit ok', 'commit fenced', 'commit conflict', 'acquire token', 'acquire refused']) {
    t.ok((answers.get(answer) ?? 0) > sequences, `${answer} was met`)
  }
})

for (const protection of ['token', 'compare_and_set'] as const) {
  test(`the scripts answer as the model does without ${protection}`, async t => {
    const { url } = await startRedis(t)
    const without = new Set([protection])
    for (const seed of seeds) {
      const redis = new RedisStore({ url }, `pipeline-${seed}`, undefined, without)
      t.teardown(() => redis.close())
      await redis.verify()
      await compare(t, seed, modelStore(without), { redis }, new Map())
    }
    t.pass(`${seeds.length} sequences`)
  })
}

function modelStore(without?: WithoutRules): Model {
  return new ModelStore<{ anchor: string; now: number }, string, string>({ anchor: '', now: 0 }, without)
}

/** Says something only about what differs. */
async function compare(
  t: Test,
  seed: number,
  model: Model,
  stores: Readonly<Record<string, ProfileStore>>,
  answers: Map<string, number>,
): Promise<void> {
  const calls = new Calls(seeded(seed), model)
  for (let i = 0; i < callsEach; i++) {
    const call = calls.next()
    const expected = applyToModel(model, call)
    count(answers, `${call.name} ${expected.includes(':') ? 'token' : expected}`)
    for (const [name, store] of Object.entries(stores)) {
      const place = `${name}, MILLRACE_MODEL_SEED=${seed}, call ${i}`
      const answer = await apply(store, call)
      const [is, should] = [await contentsOf(store), contentsOfModel(model)]
      if (answer !== expected) t.equal(answer, expected, place, { call })
      if (JSON.stringify(is) !== JSON.stringify(should)) t.strictSame(is, should, place, { call })
    }
  }
}

/** Draws calls that are mostly what an owner would do next, and otherwise wrong in one way. */
class Calls {
  #count = 0
  readonly #tokens = ['1:nobody']
  readonly #claims: Claim[] = []
  readonly #commits: Commit[] = []

  constructor(
    private readonly random: Random,
    private readonly model: Model,
  ) {}

  next(): Call {
    const { random, model } = this
    const { token, epoch } = model.state
    // Nobody else calls before; without the token check a partition that was never acquired would answer.
    if (epoch === 0) return { name: 'acquire', claim: this.#claim(token) }
    if (token !== '') this.#tokens.push(token)
    // A call without a token is nobody's; no owner makes one.
    const anyToken = token === '' || random.chance(0.15) ? random.pick(this.#tokens) : token
    const chosen = random.number()
    if (token === '' ? chosen < 0.5 : chosen < 0.12) return { name: 'acquire', claim: this.#claim(token) }
    if (chosen < 0.65) return { name: 'commit', commit: this.#commit(anyToken) }
    if (chosen < 0.78 && this.#commits.length > 0) return { name: 'commit', commit: this.#repeated() }
    if (chosen < 0.95) return { name: 'renew', token: anyToken, commitId: this.#commitId() }
    return { name: 'release', token: anyToken }
  }

  #claim(token: string): Claim {
    const { random } = this
    if (this.#claims.length > 0 && random.chance(0.3)) return random.pick(this.#claims.slice(-3))
    const expected = random.chance(0.7) ? token : random.pick(['', ...this.#tokens])
    const claim = { replica: random.pick(['r1', 'r2']), id: `claim-${++this.#count}`, stateId: 'state', expected }
    this.#claims.push(claim)
    return claim
  }

  #commitId(): string {
    const { commitId } = this.model.state
    return this.random.chance(0.8) ? commitId : this.random.pick(['', 'c0', `c${this.#count}`])
  }

  #commit(token: string): Commit {
    const { random } = this
    const { position, outbox } = this.model.state
    const many = <Value>(make: (i: number) => Value): Value[] =>
      Array.from({ length: random.whole(0, 3) }, (_, i) => make(i))
    const text = () => Buffer.from(`text ${++this.#count}`)
    const commit: Commit = {
      token,
      commitId: `c${++this.#count}`,
      previousPosition: random.chance(0.85) ? position : Math.max(0, position + random.whole(-2, 2)),
      previousCommitId: this.#commitId(),
      meta: {
        ...(random.chance(0.8) ? { position: position + random.whole(0, 5) } : {}),
        ...(random.chance(0.5) ? { anchor: `anchor ${this.#count}` } : {}),
        ...(random.chance(0.5) ? { now: this.#count } : {}),
      },
      profiles: many(() => ({ key: random.pick(keys), bytes: random.chance(0.8) ? text() : undefined })).filter(
        // One write a key, as an owner's.
        ({ key }, i, all) => all.findIndex(other => other.key === key) === i,
      ),
      profileTtlMs: random.chance(0.5) ? 86_400_000 : undefined,
      timers: [],
      memory: [],
      outbox: many(text),
      trim: random.whole(0, Math.min(outbox.length, 3)),
    }
    this.#commits.push(commit)
    return commit
  }

  /** Mostly the last one, as after a lost reply; otherwise one that arrives late. */
  #repeated(): Commit {
    return this.random.chance(0.6) ? this.#commits.at(-1)! : this.random.pick(this.#commits)
  }
}

function applyToModel(model: Model, call: Call): string {
  switch (call.name) {
    case 'acquire':
      return model.acquire(call.claim)?.token ?? 'refused'
    case 'renew':
      return model.renew(call.token, call.commitId)
    case 'release':
      return model.release(call.token)
    case 'commit': {
      const { meta, profiles, outbox, ...rest } = call.commit
      const { position = model.state.position, anchor, now } = meta
      return model.commit({
        ...rest,
        position,
        fields: { ...(anchor === undefined ? {} : { anchor }), ...(now === undefined ? {} : { now }) },
        profiles: profiles.map(({ key, bytes }) => [key, bytes?.toString()]),
        outbox: outbox.map(String),
      })
    }
  }
}

async function apply(store: ProfileStore, call: Call): Promise<CommitOutcome | string> {
  switch (call.name) {
    case 'acquire':
      return (await store.acquire(partition, call.claim))?.token ?? 'refused'
    case 'renew':
      return store.renew(partition, call.token, call.commitId)
    case 'release':
      return store.release(partition, call.token)
    case 'commit':
      return store.commit(partition, call.commit)
  }
}

function contentsOfModel({ state }: Model): Contents {
  const { token, replica, renewals, commitId, position, fields, profiles, outbox } = state
  const { anchor, now } = fields
  return {
    token,
    replica,
    renewals,
    commitId,
    position,
    anchor,
    now,
    profiles: keys.map(key => profiles.get(key)),
    outbox,
  }
}

async function contentsOf(store: ProfileStore): Promise<Contents> {
  const [meta, profiles, outbox] = await Promise.all([
    store.readMeta(partition),
    store.load(partition, keys),
    store.outbox(partition),
  ])
  return {
    token: meta?.token ?? '',
    replica: meta?.replica ?? '',
    renewals: meta?.renewals ?? 0,
    commitId: meta?.commitId ?? '',
    position: meta?.position ?? 0,
    anchor: meta?.anchor ?? '',
    now: meta?.now ?? 0,
    profiles: profiles.map(bytes => bytes?.toString()),
    outbox: outbox.map(String),
  }
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}
