/** The same ledger in JavaScript. The comment below lets an editor check it against the types. */
import { createHash } from 'node:crypto'
import { forEachCommand } from 'raftbox/raft'

const snapshotHead = 'ledger-2'
const linesOfPiece = 1000
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** @returns {import('raftbox').StateMachine} */
export default function createLedger() {
  let balances = new Map()
  const balanceOf = (name) => balances.get(name) ?? 0
  const add = (name, cents) => void balances.set(name, balanceOf(name) + cents)
  const lines = () => [...balances].map((account) => JSON.stringify(account)).sort()

  function answerTo({ type, from, to, cents }) {
    if (type !== 'deposit' && type !== 'transfer') throw new Error(`the ledger does not know ${type}`)
    if (!Number.isSafeInteger(cents) || cents <= 0) return 'refused: not an amount'
    if (type === 'transfer') {
      if (balanceOf(from) < cents) return 'refused: not enough money'
      add(from, -cents)
    }
    add(to, cents)
    return 'done'
  }

  return {
    apply(run, results) {
      forEachCommand(run, (start, end) => {
        const answer = answerTo(JSON.parse(decoder.decode(run.bytes.subarray(start, end))))
        results?.append(encoder.encode(answer))
      })
    },

    read(queries, results) {
      forEachCommand(queries, (start, end) => {
        const name = decoder.decode(queries.bytes.subarray(start, end))
        results.append(encoder.encode(String(balanceOf(name))))
      })
    },

    snapshot() {
      return piecesOf([snapshotHead, ...lines()])
    },

    restore(pieces) {
      const text = Buffer.concat([...pieces]).toString()
      const rest = text.split('\n').filter((line) => line !== '')
      const [head] = rest
      const isOfRelease1 = head === undefined || head.includes(' ')
      if (!isOfRelease1 && head !== snapshotHead)
        throw new Error(`the ledger does not know the snapshot ${head}`)
      balances = new Map(
        isOfRelease1 ? rest.map(readLineOfRelease1) : rest.slice(1).map((line) => JSON.parse(line)),
      )
    },

    hash() {
      return createHash('sha256').update(lines().join('\n')).digest('hex')
    },
  }
}

function* piecesOf(lines) {
  for (let from = 0; from < lines.length; from += linesOfPiece) {
    yield encoder.encode(`${lines.slice(from, from + linesOfPiece).join('\n')}\n`)
  }
}

function readLineOfRelease1(line) {
  const end = line.lastIndexOf(' ')
  return [line.slice(0, end), Number(line.slice(end + 1))]
}
