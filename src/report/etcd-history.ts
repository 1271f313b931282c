/** The judgement on a history of etcd's API in words, and as one page of HTML without network and script. */
import type { EtcdFailure, EtcdResult } from '../check/index.js'
import { counted, paint, printable } from '../terminal/index.js'
import { escaped, htmlDocument, htmlTable } from './html.js'
import { pageStyle } from './page-style.js'

/** Contradictions, and open questions, that are told. */
const shownMax = 20

const policy = "default-src 'none'; style-src 'unsafe-inline'"

export function etcdResultLines(result: EtcdResult): string[] {
  const { verdict, failures, failureCount, undecided, undecidedCount } = result
  const color = { consistent: paint.green, inconsistent: paint.red, unknown: paint.yellow }[verdict]
  return [
    color(headLine(result)),
    ...toldLines(failures, failureCount, 'contradiction'),
    ...(failureCount > 0 ? [] : toldLines(undecided, undecidedCount, 'open question')),
  ]
}

export function etcdPage(result: EtcdResult): string {
  const { failures, undecided } = result
  const table = (caption: string, all: readonly EtcdFailure[]): string =>
    all.length === 0
      ? ''
      : htmlTable(
          caption,
          ['rule', 'what the records say'],
          all.map(({ rule, message }) => [rule, printable(message)].map((text) => ({ text }))),
        )
  const body = `<header>
<h1>${escaped(headLine(result))}</h1>
</header>
<main>
${table('Records that contradict each other', failures)}
${table('Left open', undecided.slice(0, shownMax))}
</main>`
  return htmlDocument({ title: headLine(result), policy, style: pageStyle, body })
}

function headLine({ verdict, records, revisions, failureCount, undecidedCount }: EtcdResult): string {
  const size = `${counted(records, 'record')} of ${counted(revisions, 'revision')}`
  if (verdict === 'consistent') return `consistent: ${size}`
  return verdict === 'inconsistent'
    ? `inconsistent: ${size}, and ${counted(failureCount, 'contradiction')}`
    : `unknown: ${size}, and ${counted(undecidedCount, 'open question')}`
}

function toldLines(all: readonly EtcdFailure[], count: number, what: string): string[] {
  const lines = all.slice(0, shownMax).flatMap(({ rule, message }) => ['', rule, `  ${printable(message)}`])
  const left = count - Math.min(all.length, shownMax)
  return left > 0 ? [...lines, '', `and ${counted(left, `more ${what}`)}`] : lines
}
