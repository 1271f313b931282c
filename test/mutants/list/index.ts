/** All mutants. */
import type { Mutant } from '../mutant.js'
import { check } from './check.js'
import { client } from './client.js'
import { etcd } from './etcd.js'
import { labs } from './labs.js'
import { load } from './load.js'
import { machine } from './machine.js'
import { members } from './members.js'
import { node } from './node.js'
import { reads } from './reads.js'
import { replication } from './replication.js'
import { storage } from './storage.js'
import { votes } from './votes.js'

export const allMutants: readonly Mutant[] = [
  ...[...votes, ...replication, ...members, ...reads],
  ...[...node, ...storage, ...machine],
  ...[...client, ...etcd, ...load, ...check, ...labs],
]
