/**
 * The protections of the protocol that tests can switch off one by one, to show that the fault suite notices. No setting and no
 * option of the command line leads here: only a composition root of the tests passes anything but the empty set.
 */
export const protections = [
  /** The reader compares delivery numbers. */
  'gap_check',
  /** A commit names the position and the commit it builds on. */
  'compare_and_set',
  /** A commit names its owner's token. */
  'token',
  /** A publish is sent only within a young lease, and on top of the last one known where the server can check that. */
  'publish_fence',
  /** A profile remembers the last position folded into it. */
  'last_seq',
  /** The event at the position is compared with the one that was processed, the stream's end with the position. */
  'anchor_check',
  /** A request to Redis is answered within a bound or its connection is cut, and the commit is sent again. */
  'strict_redis',
  /** A definition is in force from a recorded position on. */
  'pinned_definition',
] as const

export type Protection = (typeof protections)[number]

export type Without = ReadonlySet<Protection>

export const withoutNothing: Without = new Set()
