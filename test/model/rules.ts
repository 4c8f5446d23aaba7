/** What the model can switch off: the protections of the engine, and finer rules that the model alone can show to matter. */
import { protections, type Protection } from '../../engine/protections.js'

export const finerRules = [
  /** A reader's new consumer is used only where the event received last is still what it was. */
  'reader_anchor',
  /** A commit trims the outbox after everything else, so that one that broke off and is sent again does not trim twice. */
  'trim_last',
  /** The note about the definition is taken only on top of the one that was seen. */
  'note_order',
  /** A definition takes effect only where no other one has decided what is published already. */
  'decided_before',
  /** Fast batches are used only where ids are known for longer than an unfinished batch. */
  'batch_window',
] as const

export type Rule = Protection | (typeof finerRules)[number]

export type WithoutRules = ReadonlySet<Rule>

export const rules: readonly Rule[] = [...protections, ...finerRules]

export const allRules: WithoutRules = new Set()
