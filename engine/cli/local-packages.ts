/**
 * Debian packages without installing them: downloaded and unpacked into a private folder.
 *
 * An installation would need root, would start system services on the standard ports and would leave traces on the machine.
 * This way needs none of it: apt gets lists and a cache of its own, resolves the dependencies that are missing here, only
 * downloads, and `dpkg-deb --extract` never runs a package's scripts.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A slow mirror is no reason to wait for ever. */
const aptWithinMs = 300_000

/** After this, `folder` holds the packages' files, with the dependencies that the system lacks. All or nothing. */
export async function unpackDebianPackages(names: readonly string[], folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const work = await mkdtemp(`${folder}-`)
  try {
    const archives = await download(names, work)
    const root = join(work, 'root')
    await mkdir(root)
    for (const archive of archives) await run('dpkg-deb', ['--extract', archive, root])
    // Whoever unpacks at the same time makes the same files; the later one wins.
    await rm(folder, { recursive: true, force: true })
    await rename(root, folder)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function download(names: readonly string[], work: string): Promise<string[]> {
  const lists = join(work, 'lists')
  const cache = join(work, 'cache')
  await mkdir(join(lists, 'partial'), { recursive: true })
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true })
  const options = [
    `Dir::State::Lists=${lists}`,
    `Dir::Cache=${cache}`,
    // Nothing of the system is written, so its lock is not needed, and only root could take it.
    'Debug::NoLocking=true',
    // The user that apt would download as cannot write here.
    `APT::Sandbox::User=${userInfo().username}`,
    'Acquire::Retries=2',
  ].flatMap(option => ['-o', option])
  const apt = (...words: string[]) =>
    run('apt-get', [...options, ...words], {
      timeout: aptWithinMs,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    })
  // Lists of its own and fresh ones: an image often has none, and outdated ones name packages that are gone.
  await apt('-qq', 'update')
  // `--reinstall`: a package that is installed, with its program somewhere unexpected, is downloaded too.
  await apt('-qq', 'install', '--yes', '--download-only', '--no-install-recommends', '--reinstall', ...names)
  const archives = (await readdir(join(cache, 'archives'))).filter(name => name.endsWith('.deb'))
  return archives.map(name => join(cache, 'archives', name))
}
