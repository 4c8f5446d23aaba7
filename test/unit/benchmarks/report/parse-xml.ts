/** A strict reader of the XML that charts are: it throws on whatever a browser would refuse. No prolog, comments or CDATA. */

export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  /** Text directly in it. */
  readonly text: string
}

interface OpenElement {
  readonly name: string
  readonly attributes: Record<string, string>
  readonly children: XmlElement[]
  text: string
}

const token = /<\/([\w-]+)>|<([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y
const attribute = /([\w-]+)="([^"]*)"/g

export function parseXml(source: string): XmlElement {
  const root: OpenElement = { name: '', attributes: {}, children: [], text: '' }
  const open = [root]
  token.lastIndex = 0
  for (const end = source.trimEnd().length; token.lastIndex < end;) {
    const at = token.lastIndex
    const match = token.exec(source)
    if (match === null) throw new Error(`not well-formed at ${at}: ${source.slice(at, at + 60)}`)
    const [, closed, opened, attributes = '', isEmpty, text] = match
    const parent = open.at(-1)!
    if (text !== undefined) {
      if (open.length === 1) throw new Error(`text outside of the root element: ${text}`)
      parent.text += unescaped(text)
    } else if (closed !== undefined) {
      if (parent.name !== closed) throw new Error(`<${parent.name}> ends with </${closed}>`)
      open.pop()
    } else {
      const element: OpenElement = { name: opened!, attributes: {}, children: [], text: '' }
      for (const [, name, value] of attributes.matchAll(attribute)) {
        if (Object.hasOwn(element.attributes, name!)) throw new Error(`<${opened}> has two attributes "${name}"`)
        element.attributes[name!] = unescaped(value!)
      }
      parent.children.push(element)
      if (isEmpty === '') open.push(element)
    }
  }
  if (open.length !== 1 || root.children.length !== 1)
    throw new Error('there must be one root element, and it must end')
  return root.children[0]!
}

/** All elements of a name, in the order of the document. */
export function elements(root: XmlElement, name: string): XmlElement[] {
  return [...(root.name === name ? [root] : []), ...root.children.flatMap(child => elements(child, name))]
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescaped(text: string): string {
  return text.replace(/&([^;]*;?)/g, (_, name: string) => {
    const character = name.endsWith(';') ? entities[name.slice(0, -1)] : undefined
    if (character === undefined) throw new Error(`not an entity: &${name}`)
    return character
  })
}
