/** Judges a metrics page by the rules of Prometheus' text format 0.0.4, and reads it. */

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/

export class Exposition {
  readonly samples: Sample[] = []
  /** Every rule that is broken, with the line; empty for a valid page. */
  readonly problems: string[] = []
  readonly #types = new Map<string, string>()

  constructor(page: string) {
    if (!page.endsWith('\n')) this.problems.push('the last line has no end')
    const seen = new Set<string>()
    const closed = new Set<string>()
    let family = ''
    for (const line of page.split('\n')) {
      if (line === '') continue
      const [, kind, name = '', text = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
      if (kind !== undefined) {
        if (seen.has(`${kind} ${name}`)) this.problems.push(`a second time: ${line}`)
        seen.add(`${kind} ${name}`)
        if (kind === 'TYPE') this.#types.set(name, text)
        if (name !== family) closed.add(family)
        if (closed.has(name)) this.problems.push(`not together: ${line}`)
        family = name
      } else {
        this.#take(line, family)
      }
    }
    this.#checkHistograms()
  }

  /** Sum of the series of this name that have these labels. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = Object.entries(labels)
    const found = this.samples.filter(
      sample => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value),
    )
    return found.reduce((sum, { value }) => sum + value, 0)
  }

  #take(line: string, family: string): void {
    const match = sampleLine.exec(line)
    if (match === null) return void this.problems.push(`no sample: ${line}`)
    const [, name = '', written = '', number = ''] = match
    const isHistogram = this.#types.get(family) === 'histogram'
    const suffix = name.startsWith(family) ? name.slice(family.length) : line
    const isOwn =
      suffix === '' || ((isHistogram || this.#types.get(family) === 'summary') && /^_(bucket|sum|count)$/.test(suffix))
    if (!isOwn) this.problems.push(`below another metric, ${family}: ${line}`)
    const pairs = [...written.matchAll(/([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, value]) => [
      label,
      value,
    ])
    const labels = Object.fromEntries(pairs) as Record<string, string>
    const value = number === '+Inf' ? Infinity : Number(number)
    if (Number.isNaN(value) && !/^NaN$/i.test(number)) this.problems.push(`no number: ${line}`)
    if (this.samples.some(sample => sample.name === name && same(sample.labels, labels))) {
      this.problems.push(`a second time: ${line}`)
    }
    this.samples.push({ name, labels, value })
  }

  /** Buckets never fall, and the last one is the count. */
  #checkHistograms(): void {
    for (const [name, type] of this.#types) {
      if (type !== 'histogram') continue
      const buckets = new Map<string, Sample[]>()
      for (const sample of this.samples) {
        if (sample.name !== `${name}_bucket`) continue
        const others = Object.fromEntries(Object.entries(sample.labels).filter(([label]) => label !== 'le'))
        const id = JSON.stringify(others)
        buckets.set(id, [...(buckets.get(id) ?? []), sample])
      }
      for (const [id, series] of buckets) {
        const others = JSON.parse(id) as Record<string, string>
        const counts = series.map(({ value }) => value)
        const last = series.at(-1)!
        if (counts.some((count, i) => count < (counts[i - 1] ?? 0))) this.problems.push(`falls: ${name} ${id}`)
        if (last.labels['le'] !== '+Inf') this.problems.push(`no +Inf: ${name} ${id}`)
        if (this.sum(`${name}_count`, others) !== last.value) this.problems.push(`count differs: ${name} ${id}`)
      }
    }
  }
}

function same(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every(name => a[name] === b[name])
}
