/**
 * Loses deliveries between a NATS server and a client, each as a whole, as a server does that drops what a slow client does not
 * take. Understands just enough of the protocol to cut between messages.
 */

const crlf = Buffer.from('\r\n')

/** A filter for one connection from its first byte on; `isLost` is asked about each JetStream delivery. */
export function loseDeliveries(isLost: () => boolean): (bytes: Buffer) => Buffer {
  let rest = Buffer.alloc(0)
  return bytes => {
    rest = Buffer.concat([rest, bytes])
    const kept: Buffer[] = []
    for (;;) {
      const length = lengthOfNext(rest)
      if (length === undefined) return Buffer.concat(kept)
      const message = rest.subarray(0, length)
      rest = rest.subarray(length)
      if (!isDelivery(message) || !isLost()) kept.push(message)
    }
  }
}

/** `undefined` while it is not complete. */
function lengthOfNext(bytes: Buffer): number | undefined {
  const end = bytes.indexOf(crlf)
  if (end === -1) return undefined
  const line = bytes.toString('latin1', 0, end)
  // "MSG <subject> <sid> [reply] <size>", and HMSG with the size of its headers before that; all others are one line.
  const payload = /^H?MSG /i.test(line) ? Number(line.slice(line.lastIndexOf(' ') + 1)) + crlf.length : 0
  const length = end + crlf.length + payload
  return length <= bytes.length ? length : undefined
}

function isDelivery(message: Buffer): boolean {
  const line = message.toString('latin1', 0, message.indexOf(crlf))
  return /^H?MSG /i.test(line) && line.includes(' $JS.ACK.EVENTS.')
}
