/** The rules that keep the tree readable, checked on the source: who may import what, one door per driver, no cycles. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'

// Compiled, this file lies in build/test/.
const root = fileURLToPath(new URL('../../', import.meta.url))
const compositionRoot = 'engine/cli/composition-root.ts'
const publicEntry = 'engine/millrace.ts'

interface Import {
  /** A path below the root for files of ours, otherwise the name of a package. */
  readonly target: string
  /** False for what the compiler erases. */
  readonly isValue: boolean
}

interface Source {
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
}

const sources = ['engine', 'operators', 'profiles', 'benchmarks', 'examples', 'test'].flatMap(read)

function read(folder: string): Source[] {
  if (!existsSync(join(root, folder))) return []
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return names
    .filter(name => /\.m?ts$/.test(name) && !name.includes('node_modules'))
    .map(name => {
      const path = join(folder, name)
      const text = readFileSync(join(root, path), 'utf8')
      return { path, text, imports: importsOf(path, text) }
    })
}

function importsOf(path: string, text: string): Import[] {
  const found: Import[] = []
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\bfrom\s+)?'([^']+)'/gm)) {
    found.push({ target: resolve(path, match[2]!), isValue: match[1] === undefined })
  }
  for (const match of text.matchAll(/\bimport\('([^']+)'\)/g)) {
    found.push({ target: resolve(path, match[1]!), isValue: true })
  }
  return found
}

function resolve(path: string, target: string): string {
  if (!target.startsWith('.')) return target
  return relative(root, join(root, dirname(path), target)).replace(/\.js$/, '.ts')
}

function within(folder: string): Source[] {
  return sources.filter(({ path }) => path.startsWith(`${folder}/`))
}

/** Fails for each file of `from` that imports something of `unwanted`. */
function forbid(t: Test, from: readonly Source[], unwanted: (target: string) => boolean, rule: string): void {
  const broken = from.flatMap(({ path, imports }) =>
    imports.filter(({ target }) => unwanted(target)).map(({ target }) => `${path} imports ${target}`),
  )
  t.strictSame(broken, [], rule)
}

function isOf(folder: string): (target: string) => boolean {
  return target => target.startsWith(`${folder}/`)
}

test('the test reads the source it judges', async t => {
  t.ok(sources.length > 100)
  const index = sources.find(({ path }) => path === 'engine/index.ts')
  t.ok(index?.imports.some(({ target, isValue }) => target === 'engine/operator.ts' && isValue))
  t.ok(index?.imports.some(({ target, isValue }) => target === 'engine/store.ts' && !isValue))
})

for (const folder of ['operators', 'profiles']) {
  test(`${folder}/ uses nothing of the engine but engine/index.ts, and no other folder`, async t => {
    const files = within(folder)
    forbid(t, files, target => isOf('engine')(target) && target !== 'engine/index.ts', 'engine/index.ts only')
    for (const other of ['operators', 'profiles', 'test', 'examples', 'benchmarks']) {
      if (other !== folder) forbid(t, files, isOf(other), `nothing of ${other}/`)
    }
  })
}

test('engine/ uses no other folder, except its public entry and its composition root', async t => {
  const files = within('engine').filter(({ path }) => path !== compositionRoot && path !== publicEntry)
  for (const other of ['operators', 'profiles', 'test', 'examples', 'benchmarks']) forbid(t, files, isOf(other), other)
  const entry = sources.filter(({ path }) => path === publicEntry)
  forbid(t, entry, target => /^(operators|profiles)\/(?!index\.ts$)/.test(target), 'the entry uses indexes only')
})

test('nothing imports the composition root or, inside the repository, the public entry', async t => {
  const others = sources.filter(({ path }) => path !== 'engine/cli/main.ts')
  forbid(t, others, target => target === compositionRoot, 'only the program starts the root')
  const inside = sources.filter(({ path }) => !path.startsWith('examples/') && !path.startsWith('test/'))
  forbid(t, inside, target => target === publicEntry, 'engine/index.ts is for code inside the repository')
})

test('example pipelines are written as users write: against the package', async t => {
  const pipelines = within('examples').filter(({ path }) => path.endsWith('/pipeline.ts'))
  t.not(pipelines.length, 0)
  for (const folder of ['engine', 'operators', 'profiles', 'test']) forbid(t, pipelines, isOf(folder), folder)
})

const doors: readonly (readonly [driver: string, where: string, door: RegExp])[] = [
  ['nats', 'engine/nats/', /^engine\/nats\//],
  ['ioredis', 'profiles/redis-*', /^profiles\/redis-[^/]*$/],
  ['prom-client', 'engine/metrics/metrics.ts', /^engine\/metrics\/metrics\.ts$/],
  ['pino', 'engine/log.ts', /^engine\/log\.ts$/],
]
for (const [driver, where, door] of doors) {
  test(`${driver} is used in ${where} only`, async t => {
    const outside = ['engine', 'operators', 'profiles'].flatMap(within).filter(({ path }) => !door.test(path))
    forbid(t, outside, target => target === driver || target.startsWith(`${driver}/`), 'one door per driver')
  })
}

test('wall time is read in engine/clock.ts only', async t => {
  const files = ['engine', 'operators', 'profiles'].flatMap(within).filter(({ path }) => path !== 'engine/clock.ts')
  const readers = files.filter(({ text }) => /\bDate\.now\b|\bnew Date\(\)|performance\.timeOrigin/.test(text))
  t.strictSame(
    readers.map(({ path }) => path),
    [],
  )
})

test('what decides results reads no clock and no random numbers, so that a replay decides the same', async t => {
  const deciding =
    /^(operators\/|profiles\/(?!redis-)|engine\/(partition\/(fold|effects|timers|hash-memory|staged-batch)|outbox\/outbox-entry)\.ts$)/
  const impure = sources.filter(
    ({ path, text }) => deciding.test(path) && /performance\.now|Math\.random|randomUUID|randomBytes/.test(text),
  )
  t.strictSame(
    impure.map(({ path }) => path),
    [],
  )
})

test('value imports form no cycle', async t => {
  const byPath = new Map(sources.map(source => [source.path, source]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) cycles.push([...way.slice(way.indexOf(path)), path].join(' > '))
    if (done.has(path) || way.includes(path)) return
    for (const { target, isValue } of byPath.get(path)?.imports ?? []) if (isValue) visit(target, [...way, path])
    done.add(path)
  }
  for (const { path } of sources) visit(path, [])
  t.strictSame(cycles, [])
})

const { files: packed } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] }

/** npm puts the README into every package. */
function isPacked(path: string): boolean {
  return path === 'README.md' || packed.some(entry => path === entry || path.startsWith(`${entry}/`))
}

test('a package holds all that its program and its library load', async t => {
  const byPath = new Map(sources.map(source => [source.path, source]))
  const loaded = new Set([compositionRoot, publicEntry])
  for (const path of loaded) {
    for (const { target, isValue } of byPath.get(path)?.imports ?? []) {
      if (isValue && byPath.has(target)) loaded.add(target)
    }
  }
  t.ok(loaded.has('engine/engine.ts') && loaded.has('examples/shop/demo.ts'))
  const missing = [...loaded].filter(path => !isPacked(`build/${path}`))
  t.strictSame(missing, [])
  // The demo reads these beside its source.
  for (const name of ['pipeline.ts', 'catalogue.csv', 'schemas']) t.ok(isPacked(`examples/shop/${name}`), name)
})

test('a package holds every page and folder that its pages lead to', async t => {
  const pages = ['README.md', ...['docs', 'deploy'].flatMap(pagesOf)]
  const broken = pages.flatMap(page => {
    const links = readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]+)/g)
    const targets = [...links].map(([, link]) => relative(root, join(root, dirname(page), link!)))
    return targets.filter(target => !isPacked(target)).map(target => `${page} leads to ${target}`)
  })
  t.strictSame(broken, [])
})

function pagesOf(folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  const names = readdirSync(join(root, folder))
  return names.filter(name => name.endsWith('.md')).map(name => join(folder, name))
}

test('no file has more than 400 lines', async t => {
  const long = sources.filter(({ text }) => text.split('\n').length - 1 > 400)
  t.strictSame(
    long.map(({ path }) => path),
    [],
  )
})

test('no file is a drawer for everything', async t => {
  const drawers = sources.filter(({ path }) => /(^|\/)(utils?|helpers?|common|misc)\.ts$/.test(path))
  t.strictSame(
    drawers.map(({ path }) => path),
    [],
  )
})

test('files are kebab-case', async t => {
  const odd = sources.filter(({ path }) => !/^([a-z0-9-]+\/)*[a-z0-9-]+(\.test|\.d)?\.ts$/.test(path))
  t.strictSame(
    odd.map(({ path }) => path),
    [],
  )
})

test('exports are named; only a pipeline is a default export', async t => {
  // Tests hold pipelines as text.
  const anonymous = sources.filter(
    ({ path, text }) => /^export default /m.test(text) && !/pipeline[^/]*\.ts$/.test(path) && !/^test\//.test(path),
  )
  t.strictSame(
    anonymous.map(({ path }) => path),
    [],
  )
})

test('every file of the engine, the operators and the profiles says what it promises', async t => {
  const silent = ['engine', 'operators', 'profiles'].flatMap(within).filter(({ text }) => !text.includes('/**'))
  t.strictSame(
    silent.map(({ path }) => path),
    [],
  )
})
