/** The result of a check as one page of HTML, which needs no network and no script. */
import type { CheckResult, Failure, KeyValueOperation } from '../check/index.js'
import {
  headLine,
  keyWords,
  operationLine,
  orderLines,
  shownOf,
  undecidedLines,
  windowLine,
} from './history-words.js'
import { escaped, htmlDocument, htmlTable } from './html.js'
import { pageStyle } from './page-style.js'
import { timeLines, timeLinesStyle } from './time-lines.js'

const policy = "default-src 'none'; style-src 'unsafe-inline'"

export function historyPage(
  history: readonly KeyValueOperation[],
  result: CheckResult<KeyValueOperation>,
): string {
  const body = `<header>
<h1>${escaped(headLine(result))}</h1>
${paragraphs(undecidedLines(result))}
</header>
<main>
${result.failures.map((failure) => failureSection(history, failure)).join('\n')}
</main>`
  return htmlDocument({ title: headLine(result), policy, style: `${pageStyle}${timeLinesStyle}`, body })
}

function failureSection(history: readonly KeyValueOperation[], failure: Failure<KeyValueOperation>): string {
  const rows = shownOf(failure).map((operation) =>
    [
      operationLine(operation),
      String(operation.client),
      String(operation.call),
      String(operation.return),
    ].map((text) => ({ text })),
  )
  return `<section>
<h2>${escaped(keyWords(failure.key))}</h2>
<p>${escaped(windowLine(failure))}</p>
${timeLines(history, failure)}
<p class="soft">Framed in blue: operations that contradict each other. Framed in red: those that do not fit where the order
ends. The others are pale, and those of unknown outcome have no end. Times stand in their order, not to scale.</p>
${paragraphs(orderLines(failure))}
${htmlTable('Operations that contradict each other', ['operation', 'client', 'call', 'return'], rows)}
</section>`
}

function paragraphs(lines: readonly string[]): string {
  return lines.map((line) => `<p>${escaped(line)}</p>`).join('\n')
}
