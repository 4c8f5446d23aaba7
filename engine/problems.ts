/**
 * Collects what is wrong with a configuration or a definition, so that a person sees every problem at once.
 * Each line reads `<path> <rule>, got <value>`: `stages[2].maxAge must be a duration such as "10m", got "soon"`.
 */
export class Problems {
  readonly #lines: string[] = []

  constructor(
    private readonly path = '',
    lines?: string[],
  ) {
    if (lines !== undefined) this.#lines = lines
  }

  get list(): readonly string[] {
    return this.#lines
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0
  }

  /** `rule` is the sentence's middle, lower case: `must be a whole number`. Without a value only path and rule are said. */
  add(path: string, rule: string, ...got: [unknown?]): void {
    const where = join(this.path, path)
    const tail = got.length === 0 ? '' : `, got ${show(got[0])}`
    this.#lines.push(`${where}${where === '' ? '' : ' '}${rule}${tail}`)
  }

  /** Options that nobody reads: mistyped, they would else be left out without a word. */
  addUnknown(options: object, known: readonly string[]): void {
    const names = [...known].sort().join(', ') || 'none'
    for (const name of Object.keys(options)) {
      if (!known.includes(name)) this.add(name, `is not an option; known are ${names}`)
    }
  }

  /** Same list, deeper path. */
  at(path: string): Problems {
    return new Problems(join(this.path, path), this.#lines)
  }

  /** Takes over lines that were found elsewhere, below this path. */
  adopt(path: string, lines: readonly string[]): void {
    const where = join(this.path, path)
    for (const line of lines) this.#lines.push(where === '' ? line : `${where}.${line}`)
  }
}

function join(left: string, right: string): string {
  if (left === '') return right
  if (right === '') return left
  return right.startsWith('[') ? left + right : `${left}.${right}`
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'function') return 'a function'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
