/**
 * The 28 tests of the Raft lab of MIT's course 6.5840, by the lab's own names. `LAB_SEEDS=200 npx vitest run test/labs` plays so
 * many seeds of each, and `npm run proof` hundreds.
 */
import * as agreement from './agreement.js'
import * as elections from './elections.js'
import type { Lab } from './lab.js'
import * as persistence from './persistence.js'
import * as snapshots from './snapshots.js'

export interface LabTest {
  /** The part of the lab and the name of the test there. */
  readonly name: string
  /** What it holds the cluster to. */
  readonly states: string
  readonly play: (seed: number) => Lab
  /** Takes ten times as long as others. */
  readonly isLong?: boolean
}

export const electionLabs: readonly LabTest[] = [
  {
    name: '3A initial election',
    states: 'one leader is elected, by one question to each voter, and stays',
    play: elections.initialElection,
  },
  {
    name: '3A election after network failure',
    states:
      'a leader is replaced when it is gone, follows when it is back, and nobody leads without a majority',
    play: elections.reElection,
  },
  {
    name: '3A multiple elections',
    states: 'of seven servers four elect a leader in each of nine rounds',
    play: elections.manyElections,
  },
]

export const agreementLabs: readonly LabTest[] = [
  {
    name: '3B basic agreement',
    states: 'three commands are agreed on in their order',
    play: agreement.basicAgreement,
  },
  {
    name: '3B RPC byte count',
    states: 'each command is sent to each server once, and no more than 50,000 bytes beside',
    play: agreement.bytesSent,
  },
  {
    name: '3B progressive failure of followers',
    states: 'two servers of three agree, and one does not',
    play: agreement.followersFail,
  },
  {
    name: '3B failure of leaders',
    states: 'two servers agree without their leader, and one does not',
    play: agreement.leadersFail,
  },
  {
    name: '3B agreement after follower reconnects',
    states: 'a follower that comes back takes part again',
    play: agreement.followerReconnects,
  },
  {
    name: '3B no agreement if too many followers disconnect',
    states: 'two of five servers agree on nothing, and all of them do once they are connected',
    play: agreement.tooManyDisconnect,
  },
  {
    name: '3B concurrent Start()s',
    states: 'six commands at once are agreed on within two seconds, each sent to each follower once',
    play: agreement.concurrentStarts,
  },
  {
    name: '3B rejoin of partitioned leader',
    states: 'what a leader took without a majority is replaced when it comes back',
    play: agreement.leaderRejoins,
  },
  {
    name: '3B leader backs up quickly over incorrect follower logs',
    states: 'fifty wrong entries cost a refusal, and not fifty',
    play: agreement.backsUpQuickly,
  },
  {
    name: '3B RPC counts aren’t too high',
    states:
      'thirty requests elect a leader, 42 agree on twelve commands, and sixty pass in an idle second, at most',
    play: agreement.requestsSent,
  },
]

export const persistenceLabs: readonly LabTest[] = [
  {
    name: '3C basic persistence',
    states: 'servers agree after each of them crashed, alone and together',
    play: persistence.basicPersistence,
  },
  {
    name: '3C more persistence',
    states: 'three of five servers agree, whichever of them crashed in between',
    play: persistence.morePersistence,
  },
  {
    name: '3C partitioned leader and one follower crash, leader restarts',
    states: 'a server that was away learns from the leader that crashed',
    play: persistence.partitionedLeaderAndFollowerCrash,
  },
  {
    name: '3C Figure 8',
    states:
      'nothing that was committed is lost in a thousand rounds in which leaders crash in the middle of their work',
    play: persistence.figure8,
  },
  {
    name: '3C unreliable agreement',
    states: 'five clients agree where one message of ten is lost',
    play: persistence.unreliableAgreement,
  },
  {
    name: '3C Figure 8 (unreliable)',
    states:
      'nothing that was committed is lost when leaders are cut off, messages are lost, and answers come seconds late',
    play: persistence.figure8Unreliable,
  },
  {
    name: '3C churn',
    states: 'what clients were told to be applied is in all logs after crashes and disconnections',
    play: persistence.churn,
    isLong: true,
  },
  {
    name: '3C unreliable churn',
    states: 'what clients were told to be applied is in all logs also where messages are lost',
    play: persistence.unreliableChurn,
  },
]

export const snapshotLabs: readonly LabTest[] = [
  {
    name: '3D snapshots basic',
    states: 'logs stay below 2,000 bytes, and nobody who is up to date is sent a snapshot',
    play: snapshots.basicSnapshots,
  },
  {
    name: '3D install snapshots (disconnect)',
    states: 'a server that was away catches up by a snapshot, whose bytes are sent once',
    play: snapshots.installAfterDisconnection,
  },
  {
    name: '3D install snapshots (disconnect, unreliable)',
    states: 'a server that was away catches up also where messages are lost',
    play: snapshots.installAfterDisconnectionUnreliable,
  },
  {
    name: '3D install snapshots (crash)',
    states: 'a server that crashed catches up by a snapshot, whose bytes are sent once',
    play: snapshots.installAfterCrash,
  },
  {
    name: '3D install snapshots (crash, unreliable)',
    states: 'a server that crashed catches up also where messages are lost',
    play: snapshots.installAfterCrashUnreliable,
  },
  {
    name: '3D crash and restart all servers',
    states: 'servers that all crashed go on behind what they had agreed on',
    play: snapshots.allCrash,
  },
  {
    name: '3D snapshot initialization after crash',
    states: 'a server that started from its snapshot loses nothing when it starts again',
    play: snapshots.snapshotAtStart,
  },
]

export const allLabs: readonly LabTest[] = [
  ...electionLabs,
  ...agreementLabs,
  ...persistenceLabs,
  ...snapshotLabs,
]

/** How long a test may take, in milliseconds. */
export const withinMs = 120_000 + 3000 * seedsOf({})

/** The seeds that a test plays. */
export function seedsOf({ isLong = false }: Pick<LabTest, 'isLong'>): number {
  return Number(process.env['LAB_SEEDS'] ?? (isLong ? 3 : 15))
}

/** Each lab behind its title. */
export function titled(labs: readonly LabTest[]): [string, LabTest][] {
  return labs.map((lab) => [`${lab.name}: ${lab.states}`, lab])
}

/** Plays a lab with these seeds. Throws what the first of them breaks, and tells the seed. */
export function playSeeds({ name, play }: LabTest, from: number, to: number): void {
  for (let seed = from; seed <= to; seed++) {
    try {
      play(seed).end()
    } catch (error) {
      throw new Error(`${name}, seed ${seed}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      })
    }
  }
}
