/**
 * Module hooks for definitions, run by Node in a thread of its own.
 *
 * - `millrace` is always the package that is running, also where no `node_modules` is in sight (a file mounted into a
 *   container) or another copy is installed: a definition made with other classes would not be recognized.
 * - TypeScript is always an ES module. Without a `package.json` that says so Node takes it for CommonJS, and an import of this
 *   package fails.
 */
import type { InitializeHook, ResolveHook } from 'node:module'

let engineUrl = ''

/** Takes over where the running package is. */
export const initialize: InitializeHook<{ readonly engineUrl: string }> = data => {
  engineUrl = data.engineUrl
}

/** Node asks for each import. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  if (specifier === 'millrace') return { url: engineUrl, format: 'module', shortCircuit: true }
  const resolved = await next(specifier, context)
  const isOwnTypeScript = /^file:.*\.ts(\?|$)/.test(resolved.url) && !resolved.url.includes('/node_modules/')
  return isOwnTypeScript ? { ...resolved, format: 'module' } : resolved
}
