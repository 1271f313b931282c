/** A history that is wrong is kept as a file, and the test says how to look at it. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EtcdRecord, judgeEtcd } from '../../../src/check/index.js'

/** What is wrong with the history, and the command that shows it; nothing if it is right. */
export function wrongIn(history: readonly EtcdRecord[]): string[] {
  const { verdict, failures, undecided } = judgeEtcd(history)
  if (verdict === 'consistent') return []
  const file = join(mkdtempSync(join(tmpdir(), 'raftbox-etcd-history-')), 'history.jsonl')
  writeFileSync(file, history.map((record) => `${JSON.stringify(record)}\n`).join(''))
  return [
    `npx raftbox check ${file} --model etcd --html why.html`,
    ...[...failures, ...undecided].slice(0, 20).map(({ rule, message }) => `${rule}: ${message}`),
  ]
}
