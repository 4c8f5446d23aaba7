/**
 * What a stage may answer besides an event. Both carry a reason from the operator's declared list, which becomes a metric
 * label, a dead letter's subject token and a row of the operator table; it is therefore `lower_snake` and never holds data.
 */

/** The event is not needed further; intended, counted, gone. */
export class Drop {
  constructor(readonly reason: string) {}
}

/** The event is bad; it goes to DEADLETTERS with its original bytes. */
export class Reject {
  constructor(
    readonly reason: string,
    /** What exactly was wrong, for the person who reads the dead letter. No event bodies. */
    readonly detail: string,
  ) {}
}

// A drop has no detail, so one object per reason serves every event.
const drops = new Map<string, Drop>()

export function drop(reason: string): Drop {
  let known = drops.get(reason)
  if (known === undefined) drops.set(reason, (known = new Drop(reason)))
  return known
}

export function reject(reason: string, detail: string): Reject {
  return new Reject(reason, detail)
}

/** What the rules of the profile reject is counted and published as if a stage of this name had. */
export const profileStage = 'profile'
