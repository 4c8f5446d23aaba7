/** The part of the page that shows one question's figures. */
import type { SavedResult } from './saved-results.js'

export interface Plot {
  /** Without a folder: `personalization.svg`. */
  readonly file: string
  readonly svg: string
}

export interface Section {
  readonly markdown: string
  readonly plots: readonly Plot[]
}

/** Says only what the saved result holds. */
export type Render = (saved: SavedResult) => Section

/** Blocks of Markdown with the empty line between them that Markdown wants; empty blocks are left out. */
export function blocks(...parts: readonly string[]): string {
  return parts
    .filter(part => part !== '')
    .map(part => (part.endsWith('\n') ? part : `${part}\n`))
    .join('\n')
}
