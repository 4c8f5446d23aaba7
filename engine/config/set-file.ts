/** Files that a setting names. */
import { readFileSync } from 'node:fs'
import { MillraceError, messageOf } from '../errors.js'

/** Throws `config_invalid` when the file cannot be read. */
export function readSetFile(setting: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    const text = `${setting} must be a file that can be read, got ${JSON.stringify(file)}: ${messageOf(error)}`
    throw new MillraceError('config_invalid', text, { cause: error, lines: [text] })
  }
}
