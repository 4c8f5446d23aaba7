/** Reads the configuration file. YAML covers JSON; the parser's own messages quote the file, so they are not passed on. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import type { Problems } from '../problems.js'

/** What the file holds, `{}` after a problem. */
export function readConfigFile(path: string, problems: Problems): unknown {
  let source: string
  try {
    source = readFileSync(path, 'utf8')
  } catch (error) {
    problems.add(path, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
    return {}
  }
  const lineCounter = new LineCounter()
  const document = parseDocument(source, { lineCounter, prettyErrors: false, merge: true })
  for (const error of document.errors) {
    const { line, col } = lineCounter.linePos(error.pos[0])
    problems.add(`${basename(path)}:${line}:${col}`, `is not valid YAML (${error.code.toLowerCase()})`)
  }
  if (document.errors.length > 0) return {}
  try {
    return document.toJS() ?? {}
  } catch {
    // An alias without its anchor, or so many that the file is an attack on memory; the message would name the alias.
    problems.add(basename(path), 'uses a YAML alias that cannot be resolved')
    return {}
  }
}
