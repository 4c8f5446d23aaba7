/**
 * Module hooks for definitions, run by Node in a thread of its own.
 *
 * - `millrace` is always the package that is running, also where no `node_modules` is in sight (a file mounted into a
 *   container) or another copy is installed: a definition made with other classes would not be recognized.
 * - TypeScript is always an ES module. Without a `package.json` that says so Node takes it for CommonJS, and an import of this
 *   package fails.
 * - Without the translator TypeScript is refused by name.
 */
import type { InitializeHook, ResolveHook } from 'node:module'
import { fileURLToPath } from 'node:url'

export interface HookData {
  /** Where the running package is. */
  readonly engineUrl: string
  readonly isTranslating: boolean
}

let engineUrl = ''
let isTranslating = false

/** Called once for each registration, in the same module. */
export const initialize: InitializeHook<HookData> = data => {
  engineUrl = data.engineUrl
  isTranslating = data.isTranslating
}

/** Node asks for each import. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  if (specifier === 'millrace') return { url: engineUrl, format: 'module', shortCircuit: true }
  const resolved = await next(specifier, context)
  const isOwnTypeScript = /^file:.*\.m?ts(\?|$)/.test(resolved.url) && !resolved.url.includes('/node_modules/')
  if (!isOwnTypeScript) return resolved
  if (!isTranslating) {
    const file = JSON.stringify(fileURLToPath(resolved.url))
    const text = `${file} is TypeScript, which only a definition that is TypeScript itself can import`
    // Nobody is helped by where this is thrown.
    throw Object.assign(new Error(text), { stack: text })
  }
  return { ...resolved, format: 'module' }
}
