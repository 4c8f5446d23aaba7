/** Protections of what is stored in Redis: each of them is needed. */
import { proofs } from './nemesis/protections.js'
import { prove } from './run/prove.js'

const ofState = ['compare_and_set', 'token', 'last_seq', 'strict_redis', 'pinned_definition']

for (const [index, proof] of proofs.entries()) if (ofState.includes(proof.protection)) prove(proof, 200 + index)
