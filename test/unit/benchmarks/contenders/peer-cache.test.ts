import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { builtOnce } from '../../../../benchmarks/contenders/peer-cache.js'

async function cache(t: Test): Promise<{ source: string; peers: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const before = process.env.XDG_CACHE_HOME
  process.env.XDG_CACHE_HOME = folder
  t.teardown(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME
    else process.env.XDG_CACHE_HOME = before
  })
  const source = join(folder, 'source')
  await writeFile(source, 'one')
  return { source, peers: join(folder, 'millrace', 'peers') }
}

t.test('what was built from the same sources is not built again', async t => {
  const { source } = await cache(t)
  let builds = 0
  const build = async (folder: string) => {
    await writeFile(join(folder, 'program'), String(++builds))
  }
  const first = await builtOnce('peer', [source], build)
  t.equal(await builtOnce('peer', [source], build), first)
  t.equal(await readFile(join(first, 'program'), 'utf8'), '1')
  await writeFile(source, 'two')
  t.not(await builtOnce('peer', [source], build), first)
  t.equal(builds, 2)
})

t.test('a build that fails is reported, leaves nothing behind and is tried again', async t => {
  const { source, peers } = await cache(t)
  const broken = async (folder: string) => {
    await writeFile(join(folder, 'half'), '')
    throw new Error('no compiler')
  }
  await t.rejects(builtOnce('peer', [source], broken), { message: 'no compiler' })
  t.strictSame(await readdir(peers), [])
  await t.resolves(builtOnce('peer', [source], async () => {}))
})
