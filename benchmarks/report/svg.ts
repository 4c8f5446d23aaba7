/** SVG as text: elements, attributes and text that cannot break the document. Where things stand is the charts' part. */

export type Attributes = Readonly<Record<string, string | number>>

/** An element with its children, which are elements or `textNode`s already. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(attributeText(value))}"`)
  const start = `<${name}${written.join('')}`
  return children.length === 0 ? `${start}/>` : `${start}>${children.join('')}</${name}>`
}

export function textNode(content: string): string {
  return escaped(content)
}

/** Hundredths of a pixel: nobody sees less, and a figure that changes by noise in the last digit changes no file. */
function attributeText(value: string | number): string {
  if (typeof value === 'string') return value
  if (!Number.isFinite(value)) throw new RangeError(`a place in a drawing must be a number, got ${value}`)
  return String(Number(value.toFixed(2)))
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, character => entities[character]!)
}
