/** Where peers are kept that are built or installed once: apart from the project, by what they are made from. */
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * The folder of a peer, in the user's cache. `build` fills it when there is none for exactly these sources; a build that fails
 * or is interrupted leaves nothing behind.
 */
export async function builtOnce(
  name: string,
  sources: readonly string[],
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const parent = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace', 'peers')
  const hash = createHash('sha256').update(process.version)
  for (const source of sources) hash.update('\0').update(await readFile(source))
  const folder = join(parent, `${name}-${hash.digest('hex').slice(0, 16)}`)
  if (await exists(folder)) return folder
  await mkdir(parent, { recursive: true })
  const unfinished = await mkdtemp(join(parent, `${name}-unfinished-`))
  try {
    await build(unfinished)
    await rename(unfinished, folder)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    // Another process may have been faster.
    if (!(await exists(folder))) throw error
  }
  return folder
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
