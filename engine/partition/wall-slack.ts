/** How long the wall clock waits for the broker's time. */

/**
 * Timers fire by the wall clock this much late, and only when the broker confirms that nothing is left to receive: an event
 * that was stored before a timer's moment must be folded before it.
 */
export const wallSlackMs = 100
/**
 * The same where the stream has replicas: its leader gives an event its time before the others have agreed to store it, and does not
 * show it before that. Seen on a busy machine: 300 ms.
 */
const replicatedSlackMs = 2_000

export function wallSlackOf({ isReplicated }: { readonly isReplicated: boolean }): number {
  return isReplicated ? replicatedSlackMs : wallSlackMs
}
