/**
 * A command as Redis reads it (RESP): `*<parts>\r\n`, then for each part `$<bytes>\r\n<bytes>\r\n`. The client joins strings and
 * buffers part by part, which for a commit of some hundred parts takes several times as long as one walk over one buffer.
 */
const carriageReturn = 0x0d
const lineFeed = 0x0a
const zero = 0x30
/** A sign, digits and two line ends. */
const framingBytes = 24
/** Longer text is left to Node; shorter is copied faster than handed over. */
const shortText = 64

type Part = string | number | Buffer

export function encodeCommand(parts: readonly Part[]): Buffer {
  let most = framingBytes
  for (const part of parts) {
    // A UTF-16 unit takes three bytes at most.
    most += framingBytes + (typeof part === 'string' ? part.length * 3 : typeof part === 'number' ? 24 : part.length)
  }
  const into = Buffer.allocUnsafe(most)
  let at = writeCount(into, 0, 0x2a, parts.length)
  for (const part of parts) {
    if (typeof part === 'object') {
      at = writeCount(into, at, 0x24, part.length)
      into.set(part, at)
      at += part.length
    } else at = writeText(into, at, typeof part === 'string' ? part : String(part))
    into[at++] = carriageReturn
    into[at++] = lineFeed
  }
  return into.subarray(0, at)
}

/** Length and text. Nearly all text is short ASCII: tried first, taken back at the first other character. */
function writeText(into: Buffer, start: number, text: string): number {
  let at = writeCount(into, start, 0x24, text.length)
  if (text.length <= shortText) {
    let i = 0
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) break
      into[at++] = code
    }
    if (i === text.length) return at
  }
  at = writeCount(into, start, 0x24, Buffer.byteLength(text))
  return at + into.write(text, at)
}

/** `<sign><count>\r\n` */
function writeCount(into: Buffer, start: number, sign: number, count: number): number {
  into[start] = sign
  let digits = 1
  for (let rest = count; rest >= 10; rest = Math.floor(rest / 10)) digits++
  let rest = count
  for (let i = digits; i > 0; i--) {
    into[start + i] = zero + (rest % 10)
    rest = Math.floor(rest / 10)
  }
  const at = start + digits + 1
  into[at] = carriageReturn
  into[at + 1] = lineFeed
  return at + 2
}
