/**
 * Debian packages without installing them: downloaded and unpacked into a private folder.
 *
 * An installation would need root, would start system services on the standard ports and would leave traces on the machine.
 * This way needs none of it: apt gets lists and a cache of its own, resolves the dependencies that are missing here, only
 * downloads, and `dpkg-deb --extract` never runs a package's scripts.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A slow mirror is no reason to wait for ever. */
const aptWithinMs = 300_000

type Apt = (...words: string[]) => Promise<void>

/** Where `apt-get` is looked for, and what else it reads from the environment. */
export type AptEnvironment = Readonly<Record<string, string | undefined>>

/** After this, `folder` holds the packages' files, with the dependencies that the system lacks. All or nothing. */
export async function unpackDebianPackages(
  names: readonly string[],
  folder: string,
  environment: AptEnvironment,
): Promise<void> {
  await unpack(folder, async work => {
    const apt = privateApt(work, environment)
    await apt('update')
    // `--reinstall`: a package that is installed, with its program somewhere unexpected, is downloaded too.
    await apt('install', '--yes', '--download-only', '--no-install-recommends', '--reinstall', ...names)
    return archivesIn(join(work, 'cache', 'archives'))
  })
}

/**
 * After this, `folder` holds the files of one package as Debian's `unstable` has it. Its dependencies are not fetched: those of
 * another release would not fit this system. The mirror is one that the system uses already, and apt checks Debian's signature
 * as ever.
 */
export async function unpackUnstablePackage(name: string, folder: string, environment: AptEnvironment): Promise<void> {
  await unpack(folder, async work => {
    const failures: unknown[] = []
    for (const mirror of await mirrors(environment)) {
      try {
        return await downloadUnstable(name, mirror, work, environment)
      } catch (error) {
        failures.push(error)
      }
    }
    throw new AggregateError(failures, `none of apt's ${failures.length} mirrors gave ${name} of Debian unstable`)
  })
}

async function unpack(folder: string, download: (work: string) => Promise<string[]>): Promise<void> {
  // What is left there is not usable, or nobody would ask for it.
  await rm(folder, { recursive: true, force: true })
  await mkdir(dirname(folder), { recursive: true })
  const work = await mkdtemp(`${folder}-`)
  try {
    const root = join(work, 'root')
    await mkdir(root)
    for (const archive of await download(work)) await run('dpkg-deb', ['--extract', archive, root])
    await rename(root, folder).catch(unlessThere)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Whoever unpacks at the same time makes the same files; the first one stays, because it may be running already. */
function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
}

async function downloadUnstable(
  name: string,
  mirror: string,
  work: string,
  environment: AptEnvironment,
): Promise<string[]> {
  const sources = join(work, 'unstable.sources')
  const lines = ['Types: deb', `URIs: ${mirror}`, 'Suites: unstable', 'Components: main', 'Targets: Packages', '']
  await writeFile(sources, lines.join('\n'))
  const apt = privateApt(work, environment, [
    `Dir::Etc::SourceList=${sources}`,
    'Dir::Etc::SourceParts=/dev/null',
    // Whoever mixes releases holds unstable back by a preference.
    'Dir::Etc::Preferences=/dev/null',
    'Dir::Etc::PreferencesParts=/dev/null',
  ])
  await apt('update')
  await apt('download', name)
  return archivesIn(work)
}

/** Addresses that the system's own package lists come from. */
async function mirrors(environment: AptEnvironment): Promise<string[]> {
  const { stdout } = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Component: main'], {
    env: { ...environment },
  })
  return [...new Set(stdout.split('\n').filter(line => line !== ''))]
}

/** An apt that writes below `work` only and knows nothing of what the system's own has downloaded. */
function privateApt(work: string, environment: AptEnvironment, settings: readonly string[] = []): Apt {
  const options = [
    // Lists of its own and fresh ones: an image often has none, and outdated ones name packages that are gone.
    `Dir::State::Lists=${join(work, 'lists')}`,
    `Dir::Cache=${join(work, 'cache')}`,
    // Nothing of the system is written, so its lock is not needed, and only root could take it.
    'Debug::NoLocking=true',
    // The user that apt would download as cannot write here.
    `APT::Sandbox::User=${userInfo().username}`,
    'Acquire::Retries=2',
    ...settings,
  ].flatMap(option => ['-o', option])
  return async (...words) => {
    await mkdir(join(work, 'lists', 'partial'), { recursive: true })
    await mkdir(join(work, 'cache', 'archives', 'partial'), { recursive: true })
    await run('apt-get', ['-qq', ...options, ...words], {
      cwd: work,
      timeout: aptWithinMs,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...environment, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    })
  }
}

async function archivesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter(name => name.endsWith('.deb')).map(name => join(folder, name))
}
