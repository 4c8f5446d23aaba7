/** Protections of what is read from NATS and published there: each of them is needed. */
import t from 'tap'
import { protections } from '../../engine/protections.js'
import { proofs } from './nemesis/protections.js'
import { prove } from './run/prove.js'

const ofStreams = ['gap_check', 'publish_fence', 'anchor_check']

t.strictSame(proofs.map(({ protection }) => protection).sort(), [...protections].sort(), 'there is a proof for each')

for (const [index, proof] of proofs.entries()) if (ofStreams.includes(proof.protection)) prove(proof, 200 + index)
