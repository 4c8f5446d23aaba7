/**
 * Other versions of Node, beside the one that runs: the packages that the `node` package of npm is made of, each a binary for one
 * platform, unpacked into a private folder. Nothing on the system changes.
 */
import { execFile } from 'node:child_process'
import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const installWithinMs = 300_000

export interface NodeProgram {
  readonly path: string
  /** `v22.11.0` */
  readonly version: string
}

/**
 * A Node of this major version: the running one, what `MILLRACE_NODE_<major>` names, what was fetched earlier, and at last a
 * package. Rejects when none can be had.
 */
export async function findNode(major: number, say: (line: string) => void): Promise<NodeProgram> {
  if (Number(process.versions.node.split('.')[0]) === major) return { path: process.execPath, version: process.version }
  const variable = `MILLRACE_NODE_${major}`
  const named = process.env[variable] ?? ''
  if (named !== '') return describe(named, major)
  const folder = join(
    process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
    'millrace',
    'runtimes',
    `node-${major}`,
  )
  const name = `node-${process.platform}-${process.arch}`
  const path = join(folder, 'node_modules', name, 'bin', 'node')
  if (await isExecutable(path)) return describe(path, major)
  say(`fetching Node ${major} into ${folder} (nothing on the system changes)`)
  try {
    await install(`${name}@${major}`, folder)
    return await describe(path, major)
  } catch (cause) {
    throw new Error(`Node ${major} was not found. Set ${variable} to the path of one.`, { cause })
  }
}

/** All or nothing. Scripts of packages are not run. */
async function install(specification: string, folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const work = await mkdtemp(`${folder}-`)
  try {
    const quiet = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--no-package-lock']
    await run('npm', ['install', '--prefix', work, ...quiet, specification], { timeout: installWithinMs })
    await rm(folder, { recursive: true, force: true })
    await rename(work, folder)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function describe(path: string, major: number): Promise<NodeProgram> {
  const { stdout } = await run(path, ['--version'])
  const version = stdout.trim()
  if (!version.startsWith(`v${major}.`)) throw new Error(`"${path}" must be Node ${major}, is ${version}`)
  return { path, version }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
