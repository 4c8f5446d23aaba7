/** Which of the 16,384 slots of a Redis Cluster a key belongs to (Redis Cluster specification, "Key distribution model"). */

const slots = 16_384

/** By the part between the first `{` and the next `}`, if there is something; otherwise by the whole key. */
export function slotOf(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open + 1)
  return crc16(Buffer.from(close > open + 1 ? key.slice(open + 1, close) : key)) % slots
}

/** CRC-16/XMODEM: polynomial 0x1021, start 0, nothing reflected. */
function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1
  }
  return crc
}
