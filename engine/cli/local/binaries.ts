/** Finds the server programs that a private NATS or Redis needs, or fetches them where Debian's package manager exists. */
import { execFile } from 'node:child_process'
import { access, constants, readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { unpackDebianPackages, unpackUnstablePackage } from './packages.js'

const run = promisify(execFile)

export type ServerProgram = 'nats-server' | 'redis-server'

/** A program that can be started, with what its own shared libraries need. */
export interface ServerBinary {
  readonly path: string
  readonly environment: Readonly<Record<string, string>>
  readonly version: string
}

export interface BinaryOptions {
  /** Path that wins over everything else. */
  readonly path?: string | undefined
  /** The option that named the path, for error texts. Default: the environment variable. */
  readonly pathOption?: string
  /** Where to look; default the process's own. */
  readonly environment?: NodeJS.ProcessEnv
  /** Told when packages are fetched, which takes a while. */
  readonly say?: (line: string) => void
}

const variables: Record<ServerProgram, string> = {
  'nats-server': 'MILLRACE_NATS_SERVER',
  'redis-server': 'MILLRACE_REDIS_SERVER',
}

const currentVariable = 'MILLRACE_NATS_CURRENT'

/** Debian puts servers here, which is not on everybody's PATH. */
const systemFolders = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/usr/bin', '/opt/homebrew/bin']

/**
 * In this order: the given path, the environment variable, PATH, the usual folders, what was fetched earlier, and at last
 * Debian's packages, unpacked into a private folder. Rejects with advice when all of that fails.
 */
export async function findServer(program: ServerProgram, options: BinaryOptions = {}): Promise<ServerBinary> {
  const { environment = process.env } = options
  const variable = variables[program]
  const named = options.path ?? environment[variable]
  if (named !== undefined && named !== '') {
    const option = options.path === undefined ? variable : (options.pathOption ?? variable)
    return describeNamed(program, named, option)
  }
  for (const folder of [...(environment.PATH ?? '').split(delimiter), ...systemFolders]) {
    if (folder !== '' && (await isExecutable(join(folder, program)))) return describe(join(folder, program), {})
  }
  return fetchOnce(program, program, options, folder => unpackDebianPackages([program], folder, environment)).catch(
    (cause: unknown) => {
      throw new Error(`${program} was not found. ${advice(program)}`, { cause })
    },
  )
}

/**
 * A nats-server of our days beside the one that is installed, which may be years old: what MILLRACE_NATS_CURRENT names, what
 * was fetched earlier, and at last the package of Debian's unstable release, which needs no other. Rejects with advice.
 */
export async function findCurrentNats(options: Omit<BinaryOptions, 'path'> = {}): Promise<ServerBinary> {
  const { environment = process.env } = options
  const named = environment[currentVariable]
  const program = 'nats-server'
  if (named !== undefined && named !== '') return describeNamed(program, named, currentVariable)
  return fetchOnce(program, `${program}-current`, options, folder =>
    unpackUnstablePackage(program, folder, environment),
  ).catch((cause: unknown) => {
    throw new Error(`no current ${program} was found. Set ${currentVariable} to the path of one.`, { cause })
  })
}

/** What was fetched earlier, otherwise what `fetch` puts into the folder of this name. */
async function fetchOnce(
  program: ServerProgram,
  name: string,
  { environment = process.env, say = () => {} }: BinaryOptions,
  fetch: (folder: string) => Promise<void>,
): Promise<ServerBinary> {
  const folder = join(cacheFolder(environment), name)
  const earlier = await findFetched(folder, program)
  if (earlier !== undefined) return earlier
  say(`fetching Debian's package of ${program} into ${folder} (nothing on the system changes)`)
  await fetch(folder)
  const fetched = await findFetched(folder, program)
  if (fetched === undefined) throw new Error(`Debian's package ${program} holds no ${program}`)
  return fetched
}

async function describeNamed(program: ServerProgram, path: string, option: string): Promise<ServerBinary> {
  if (!(await isExecutable(path))) throw new Error(`${option} must name a program that can be run, got "${path}"`)
  return describe(path, {}).catch((cause: unknown) => {
    throw new Error(`${option} must name a ${program} that tells its version, got "${path}"`, { cause })
  })
}

function cacheFolder(environment: NodeJS.ProcessEnv): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace', 'servers')
}

async function findFetched(folder: string, program: ServerProgram): Promise<ServerBinary | undefined> {
  for (const place of ['usr/sbin', 'usr/bin']) {
    const path = join(folder, place, program)
    if (!(await isExecutable(path))) continue
    return describe(path, { LD_LIBRARY_PATH: (await libraryFolders(folder)).join(delimiter) })
  }
  return undefined
}

/** Debian keeps libraries below the name of the architecture: `usr/lib/x86_64-linux-gnu`. */
async function libraryFolders(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const parent of [join(folder, 'usr/lib'), join(folder, 'lib')]) {
    const names = await readdir(parent).catch(() => [])
    found.push(...names.filter(name => name.includes('-linux-')).map(name => join(parent, name)), parent)
  }
  return found
}

async function describe(path: string, environment: Record<string, string>): Promise<ServerBinary> {
  const { stdout } = await run(path, ['--version'], { env: { ...process.env, ...environment } })
  // "nats-server: v2.9.10", "Redis server v=7.0.15 sha=..."
  const version = /v=?(\d+\.\d+\.\d+)/.exec(stdout)?.[1]
  if (version === undefined) throw new Error(`"${path} --version" says no version, got "${stdout.trim()}"`)
  return { path, environment, version }
}

/** Folders pass for executable too. */
async function isExecutable(path: string): Promise<boolean> {
  const isFile = await stat(path).then(
    found => found.isFile(),
    () => false,
  )
  return (
    isFile &&
    access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
  )
}

function advice(program: ServerProgram): string {
  const install =
    process.platform === 'darwin'
      ? `Install it with "brew install ${program === 'nats-server' ? program : 'redis'}"`
      : `Install the package ${program} of your system, or the binary its makers publish`
  return `${install}, or set ${variables[program]} to the path of the program.`
}
