import fc from 'fast-check'
import { test } from 'tap'
import type { ErrorCode } from '../../../../engine/errors.js'
import { haltsIn, incarnationIn, standingIn, writeSign, type Halts } from '../../../../engine/replicas/sign.js'

const incarnation = '1700000000000-8f1d'
const none: Halts = new Map()

/** How releases without the fourth part read a sign. */
const olderReader = (sign: string) => {
  const [incarnation, , standing] = sign.split(':')
  return { incarnation, standing }
}

test('what is written is read again', t => {
  const code = fc.constantFrom<ErrorCode>('timer_error', 'profile_unreadable', 'stream_missing')
  const halts = fc.array(fc.tuple(fc.nat(1_023), code)).map(pairs => new Map(pairs))
  const standing = fc.constantFrom('ready', 'busy', 'leaving', 'cut_off')
  fc.assert(
    fc.property(fc.nat(), standing, halts, (beats, standing, halts) => {
      const sign = writeSign({ incarnation, beats, standing, halts })
      t.equal(incarnationIn(sign), incarnation)
      t.equal(standingIn(sign), standing)
      t.strictSame(new Map([...haltsIn(sign)].sort()), new Map([...halts].sort()))
      t.strictSame(olderReader(sign), { incarnation, standing })
    }),
  )
  t.end()
})

test('partitions are listed under their codes', t => {
  const halts: Halts = new Map([
    [0, 'timer_error'],
    [2, 'stream_missing'],
    [7, 'timer_error'],
  ])
  const sign = writeSign({ incarnation, beats: 3, standing: 'busy', halts })
  t.equal(sign, `${incarnation}:3:busy:timer_error=0,7;stream_missing=2`)
  t.equal(writeSign({ incarnation, beats: 4, standing: 'ready', halts: none }), `${incarnation}:4:ready:`)
  t.end()
})

test('a sign of an older release has no halts', t => {
  t.strictSame([...haltsIn(`${incarnation}:3:ready`)], [])
  t.strictSame([...haltsIn('')], [])
  t.end()
})

test('codes of a later release are read, what cannot be one is not', t => {
  t.strictSame(
    [...haltsIn(`${incarnation}:3:ready:moon_full=4;Bad code=1;timer_error=2,x;=3;timer_error=9,10:parts`)],
    [
      [4, 'moon_full'],
      [9, 'timer_error'],
      [10, 'timer_error'],
    ],
  )
  t.end()
})

test('a sign stays small when every partition of the largest pipeline is halted', t => {
  const halts: Halts = new Map(Array.from({ length: 1_024 }, (_, partition) => [partition, 'definition_rolled_back']))
  t.ok(writeSign({ incarnation, beats: 1, standing: 'ready', halts }).length < 5_000)
  t.end()
})
