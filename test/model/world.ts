/**
 * One schedule: three replicas, faults drawn from a seed, then healing, until nothing is left to do. A seed gives the same
 * schedule every time.
 */
import { seeded, type Random } from '../../examples/shop/random.js'
import { leaseTicks, Place, type Faults } from './place.js'
import { Owner } from './owner.js'
import { allRules, type WithoutRules } from './rules.js'

const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const troubledTicks = 260
const healingTicks = 700
const eventChance = 0.2

export interface World {
  readonly place: Place
  readonly owners: readonly Owner[]
  /** False when something was left to do and nobody did it. */
  readonly isSettled: boolean
  /** What was done to it, for people. */
  readonly log: readonly string[]
}

export function runSchedule(seed: number, without: WithoutRules = allRules): World {
  const random = seeded(seed)
  const place = new Place(random, without, drawFaults(random))
  const { network } = place
  const owners = ['ann', 'ben', 'cid'].map(name => new Owner(place, name))
  const log: string[] = []
  const inject = injector(place, owners, text => log.push(`${network.now}: ${text}`))
  let events = 0
  const produce = () => place.broker.append({ id: ++events, key: random.pick(keys), amount: random.whole(1, 4) })

  const tick = () => {
    network.tick()
    for (const owner of owners) owner.step()
  }
  while (network.now < troubledTicks) {
    if (random.chance(eventChance)) produce()
    inject()
    tick()
  }
  network.heal()
  for (const owner of owners) {
    owner.awayUntil = 0
    if (owner.definition !== place.deployed) owner.crash(0)
  }
  // A stream that was brought back grows past its old end, or does not.
  if (place.faults.restores) for (let more = random.pick([0, 20]); more > 0; more--) produce()
  const isAtRest = () =>
    network.isQuiet && owners.some(({ halted, session }) => halted !== undefined || session?.isDone)
  const end = network.now + healingTicks
  // Whoever still thinks to be the owner has time to find out.
  let restTicks = 0
  while (restTicks < leaseTicks && network.now < end) {
    tick()
    restTicks = isAtRest() ? restTicks + 1 : 0
  }
  return { place, owners, isSettled: restTicks === leaseTicks, log }
}

/**
 * Each kind in some schedules. Some pairs lose more than anything that is left could tell, and are left out: events that the
 * broker lost are not recognized when Redis too is back before them, or when a broken commit has written their profiles only;
 * a broken commit followed by another definition mixes the two; so does a publish that was decided by the old definition, lost by
 * Redis, and stored after the new one took over.
 */
function drawFaults(random: Random): Faults {
  const often = () => random.chance(0.6)
  const breaks = random.chance(0.4)
  const restores = !breaks && random.chance(0.3)
  const failOvers = !restores && often()
  const deploys = !breaks && random.chance(0.4)
  return {
    pauses: often(),
    crashes: often(),
    handOvers: often(),
    outages: often(),
    losses: often(),
    breaks,
    restores,
    failOvers,
    deploys,
    lateChance: random.pick([0.005, 0.03, 0.06]),
    latePublishes: !failOvers || !deploys,
    fastBatches: random.chance(0.5),
  }
}

function injector(place: Place, owners: readonly Owner[], note: (text: string) => void): () => void {
  const { random, faults, network, store, broker } = place
  const act = (isOn: boolean, chance: number, fault: () => void) => {
    if (isOn && random.chance(chance)) fault()
  }
  return () => {
    store.replicate(random.chance(0.15) ? random.whole(1, 4) : 0)
    act(faults.pauses, 0.012, () => {
      const owner = random.pick(owners)
      const ticks = random.whole(4, leaseTicks * 4)
      owner.awayUntil = network.now + ticks
      note(`${owner.name} is paused for ${ticks}`)
    })
    act(faults.crashes, 0.008, () => {
      const owner = random.pick(owners)
      owner.crash(random.whole(1, leaseTicks * 2))
      note(`${owner.name} crashes, runs the ${owner.definition} definition`)
    })
    act(faults.handOvers, 0.008, () => {
      const owner = random.pick(owners)
      owner.session?.stop()
      note(`${owner.name} hands over`)
    })
    act(faults.outages, 0.004, () => {
      const links = random.pick([['redis'], ['nats', 'triggers']] as const)
      const ticks = random.whole(2, leaseTicks * 2)
      for (const link of links) network.downUntil[link] = network.now + ticks
      note(`${links[0]} is away for ${ticks}`)
    })
    act(faults.failOvers, 0.01, () => {
      const { position } = store.state
      store.failOver(random.whole(1, 16))
      note(`redis fails over from position ${position} to ${store.state.position}`)
    })
    act(faults.restores, 0.004, () => {
      const end = broker.events.length
      const kept = Math.max(0, end - random.whole(1, 8))
      broker.loseEventsAfter(kept)
      note(`the stream is back at ${kept} of ${end}`)
    })
    act(faults.deploys, 0.008, () => {
      place.deployed = place.deployed === 'new' ? 'old' : 'new'
      note(`the ${place.deployed} definition is rolled out`)
    })
    const outdated = owners.find(({ definition }) => definition !== place.deployed)
    act(outdated !== undefined, 0.04, () => {
      outdated?.crash(random.whole(1, 8))
      note(`${outdated?.name} is replaced, runs the ${place.deployed} definition`)
    })
  }
}
