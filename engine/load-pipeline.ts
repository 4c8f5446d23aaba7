/**
 * Imports a pipeline's module, TypeScript or JavaScript, without a build step of the user's own.
 *
 * `tsx` translates TypeScript. It is registered without a namespace: its one-call import would load a second copy of this
 * package for the definition, and `instanceof` would fail between the two. Hooks of our own on top of it see to the rest,
 * see `load-pipeline-hooks.ts`. All of it stays registered.
 *
 * JavaScript is imported as it is, without the translator, which costs half a second of processor time and 30 MB. Stacks of the
 * user's functions are mapped back to their source in both.
 */
import { access } from 'node:fs/promises'
import { register } from 'node:module'
import { dirname, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MillraceError } from './errors.js'
import type { HookData } from './load-pipeline-hooks.js'
import { describeError } from './log-fields.js'
import type { Pipeline } from './pipeline.js'

export interface LoadedPipeline {
  readonly pipeline: Pipeline
  /** Where relative paths in options start. */
  readonly folder: string
}

const typed = ['.ts', '.mts']
const extensions = [...typed, '.js', '.mjs']

/**
 * The module's default export, or the only pipeline among its exports. Throws `MillraceError('pipeline_invalid')` with every
 * problem of the definition in `lines`.
 */
export async function loadPipeline(file: string): Promise<LoadedPipeline> {
  const path = resolve(file)
  if (!extensions.includes(extname(path))) throw invalid(path, [`must be a file of ${extensions.join(', ')}`])
  const exported = await importModule(path)
  const candidates = 'default' in exported ? [exported['default']] : Object.values(exported).filter(isPipeline)
  const [pipeline] = candidates
  if (candidates.length > 1)
    throw invalid(path, [`exports ${candidates.length} pipelines; make one the default export`])
  if (!isPipeline(pipeline)) throw invalid(path, ['must export what pipeline({...}) returns as its default'])
  if (pipeline.problems.length > 0) throw invalid(path, pipeline.problems)
  return { pipeline, folder: dirname(path) }
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  try {
    await access(path)
  } catch (error) {
    throw invalid(path, ['cannot be read'], error)
  }
  await registerHooks(typed.includes(extname(path)))
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (error) {
    // The user's own code threw, or does not translate: the first place in the stack is what helps to find it.
    const { name, message, stack } =
      error instanceof Error ? describeError(error) : { name: 'thrown', message: String(error), stack: [] }
    throw invalid(path, [`does not load: ${name}: ${message}${stack[0] === undefined ? '' : ` (${stack[0]})`}`], error)
  }
}

/** Of this process: `own` after the first definition, `translator` after the first in TypeScript. */
const registered = { own: false, translator: false }

async function registerHooks(isTyped: boolean): Promise<void> {
  const tsx = isTyped ? await import('tsx/esm/api') : undefined
  const needsTranslator = tsx !== undefined && !registered.translator
  if (registered.own && !needsTranslator) return
  if (needsTranslator) {
    registered.translator = true
    // The user's tsconfig is for the editor: the same file must give the same definition hash wherever it is started from.
    tsx.register({ tsconfig: false })
  }
  registered.own = true
  process.setSourceMapsEnabled(true)
  // Registered last, asked first.
  const data: HookData = { engineUrl: new URL('./millrace.js', import.meta.url).href, isTranslating: isTyped }
  register('./load-pipeline-hooks.js', import.meta.url, { data })
}

/** By shape: a pipeline is a plain object. */
function isPipeline(value: unknown): value is Pipeline {
  const fields = ['name', 'partitions', 'stages', 'profile', 'hash', 'problems']
  return typeof value === 'object' && value !== null && fields.every(field => field in value)
}

function invalid(path: string, lines: readonly string[], cause?: unknown): MillraceError {
  const text = `the pipeline ${JSON.stringify(path)} has problems: ${lines.join('; ')}`
  return new MillraceError('pipeline_invalid', text, { lines, cause })
}
