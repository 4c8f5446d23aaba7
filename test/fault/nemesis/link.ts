/** Faults of the link between one replica and one server: each mode of the proxy. */
import type { ProxyMode } from '../../support/proxy.js'
import type { Link } from '../../support/link.js'
import { nothingToHeal, type Fault, type Heal } from './fault.js'

type Trouble = (link: Link) => Promise<Heal>

const mode =
  (wanted: ProxyMode): Trouble =>
  async link => {
    await link.set(wanted)
    return () => link.set('pass')
  }

const troubles: Readonly<Record<string, { readonly lastsMs: Fault['lastsMs']; readonly trouble: Trouble }>> = {
  refuse: { lastsMs: [500, 8_000], trouble: mode('refuse') },
  black_hole: { lastsMs: [500, 12_000], trouble: mode('black_hole') },
  drop_to_server: { lastsMs: [500, 12_000], trouble: mode('drop_to_server') },
  drop_to_client: { lastsMs: [500, 12_000], trouble: mode('drop_to_client') },
  delay: { lastsMs: [3_000, 8_000], trouble: mode({ delayMs: 150 }) },
  throttle: { lastsMs: [3_000, 8_000], trouble: mode({ bytesPerSecond: 64 * 1024 }) },
  hold: {
    lastsMs: [500, 12_000],
    trouble: async link => {
      const held = link.hold()
      return async () => held.release()
    },
  },
  reset: {
    lastsMs: [0, 0],
    trouble: async link => {
      link.cut()
      return nothingToHeal
    },
  },
  forget: {
    lastsMs: [0, 0],
    trouble: async link => {
      link.forget()
      return nothingToHeal
    },
  },
}

export const linkFaults: readonly Fault[] = (['nats', 'redis'] as const).flatMap(server =>
  Object.entries(troubles).map(([name, { lastsMs, trouble }]): Fault => ({
    name: `link_${server}_${name}`,
    grips: ['member'],
    lastsMs,
    inject: ({ member }) => trouble(member.links[server]),
  })),
)
