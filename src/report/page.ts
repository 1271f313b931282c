/** A record as one page of HTML that needs no network: tables in it, plots drawn by the script it carries. */
import type { BenchRecord } from './bench-record.js'
import { type Comparison, countsOf } from './compare.js'
import { PlotPage } from './draw.js'
import { groupsOf, isMixed, type ResultGroup } from './figures.js'
import { escaped, htmlDocument, htmlTable, jsonIn } from './html.js'
import { plottingLibrary } from './library.js'
import { pageStyle } from './page-style.js'
import { type Plot, plotsOf } from './plots.js'
import {
  allRows,
  byOutcome,
  comparedRow,
  comparisonHead,
  countsLine,
  differenceLines,
  headLines,
  mainRows,
  methodLines,
  type Rows,
} from './words.js'

const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"

/** More plots than this at once are folded away. */
const openPlotsMax = 4

export function pageOf(record: BenchRecord, comparison: Comparison | undefined): string {
  const library = plottingLibrary()
  const plots: Plot[] = []
  const groups = groupsOf(record)
  const sections = groups.map((group, at) => groupSection(group, at, plots))
  const links = groups.map(({ name }, at) => `<a href="#group-${at}">${escaped(name)}</a>`)
  if (comparison !== undefined) links.unshift('<a href="#compared">compared</a>')
  const body = `<header>
<h1>raftbox bench</h1>
${headLines(record)
  .map((line) => `<p class="soft">${escaped(line)}</p>`)
  .join('\n')}
<nav aria-label="Groups">${links.join('\n')}</nav>
<p class="soft">Figures are medians over the rounds, with their range in parentheses.</p>
<noscript><p>The plots need JavaScript; every figure is in the tables.</p></noscript>
</header>
<main>
${comparison === undefined ? '' : comparisonSection(comparison)}
${sections.join('\n')}
</main>
<script type="application/json" id="plots">${jsonIn(plots)}</script>
<script>/*! uPlot. ${inComment(library.license)} */
${inScript(library.script)}
${inScript(PlotPage.toString())}
new PlotPage(uPlot, document, window).open()</script>`
  const title = `raftbox bench, ${record.startedAt}`
  return htmlDocument({ title, policy, style: `${library.style}${pageStyle}`, body })
}

function groupSection(group: ResultGroup, at: number, plots: Plot[]): string {
  const { overview, distributions, timelines } = plotsOf(group)
  const figures = (some: readonly Plot[]): string => some.map((plot) => figureOf(plot, plots)).join('\n')
  const folded = (title: string, some: readonly Plot[]): string => {
    if (some.length === 0) return ''
    // An election is what a reader looks for first.
    const isOpen = some.length <= openPlotsMax || some.some(({ marks }) => marks.length > 0)
    return `<details${isOpen ? ' open' : ''}><summary>${title}</summary>\n${figures(some)}\n</details>`
  }
  return `<section aria-labelledby="group-${at}">
<h2 id="group-${at}">${escaped(group.name)}</h2>
${figures(overview)}
${tableOf(`${group.name}: what was measured`, mainRows(group))}
${folded('Distributions', distributions)}
${folded('Second by second', timelines)}
${isMixed(group) ? '' : allFigures(group)}
</section>`
}

function allFigures(group: ResultGroup): string {
  return `<details><summary>All figures</summary>
${tableOf(`${group.name}: all figures`, allRows(group))}
</details>`
}

/** The numbers stand in the tables; the marks stand below the plot too, for who can not see it. */
function figureOf(plot: Plot, plots: Plot[]): string {
  const at = plots.push(plot) - 1
  const words = plot.marks.map(([, label]) => label)
  const marks = words.length === 0 ? '' : `\n<p class="soft">Dashed: ${escaped(words.join('; '))}</p>`
  return `<figure><figcaption>${escaped(plot.title)}</figcaption>
<div data-plot="${at}" role="img" aria-label="Plot of ${escaped(plot.title)}"></div>${marks}
</figure>`
}

function comparisonSection(comparison: Comparison): string {
  const { beforeAt, afterAt } = comparison
  const all = byOutcome(comparison)
  const rows = all.map((compared) =>
    comparedRow(compared).map((text, column) => {
      const isVerdict = comparisonHead[column] === 'verdict'
      if (isVerdict) return { text, className: compared.outcome }
      return comparisonHead[column] === 'figure' ? { text, className: 'left' } : { text }
    }),
  )
  const { same } = countsOf(comparison)
  const differing = rows.slice(0, rows.length - same)
  const caption = 'Figures that differ'
  return `<section aria-labelledby="compared">
<h2 id="compared">Compared</h2>
<p>The run of ${escaped(afterAt)} against that of ${escaped(beforeAt)}: ${escaped(countsLine(comparison))}.</p>
${[...methodLines(comparison), ...differenceLines(comparison)].map((line) => `<p class="soft">${escaped(line)}</p>`).join('\n')}
${differing.length === 0 ? '' : htmlTable(caption, comparisonHead, differing)}
${same === 0 ? '' : `<details><summary>Figures that are the same</summary>\n${htmlTable('Figures that are the same', comparisonHead, rows.slice(-same))}\n</details>`}
</section>`
}

function tableOf(caption: string, { head, rows }: Rows): string {
  return htmlTable(
    caption,
    head,
    rows.map((cells) => cells.map((text) => ({ text }))),
  )
}

/** Neither may end the element or the comment that it stands in. */
function inScript(code: string): string {
  return code.replace(/<\/(script)/gi, '<\\/$1')
}

function inComment(text: string): string {
  return inScript(text).replace(/\*\//g, '* /')
}
