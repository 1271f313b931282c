/** The page that says which flame graph is whose, with the hottest functions of each thread. */
import { escaped } from '../../src/report/index.js'
import { counted, decimal } from '../../src/terminal/index.js'
import type { HotFunction } from './self-time.js'

export interface PageOfThread {
  readonly thread: string
  readonly role: string
  /** Relative to the index. */
  readonly file: string
  /** 0 to 1. */
  readonly busy: number
  readonly hottest: readonly HotFunction[]
}

export interface PagesOfRun {
  readonly clients: number
  readonly seconds: number
  readonly commitsPerSecond: number
  readonly threads: readonly PageOfThread[]
}

export interface IndexOptions {
  readonly takenAt: string
  readonly machine: string
  readonly inlineFile: string
  readonly inlineClients: number
  readonly runs: readonly PagesOfRun[]
}

const style = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 0.5rem 0 1.5rem; display: block; overflow-x: auto }
caption { text-align: left; font-weight: 600; white-space: nowrap }
th, td { text-align: left; padding: 0.1rem 1.2rem 0.1rem 0; font-weight: normal }
th:first-child, td:first-child { text-align: right; font-variant-numeric: tabular-nums }
code { font-size: 0.9em }`

export function indexPage({ takenAt, machine, inlineFile, inlineClients, runs }: IndexOptions): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>raftbox: flame graphs</title>
<style>${style}</style>
</head>
<body>
<h1>raftbox: flame graphs</h1>
<p>${escaped(takenAt)}; ${escaped(machine)}. Three nodes, durable, 128-byte commands.</p>
<p>Self time is by the clock: a function that waits for the disk, or for a core, counts as one that runs.
<code>(program)</code> is native code outside of any function, <code>(garbage collector)</code> V8's own work.</p>
<h2>All nodes in one thread</h2>
<p><a href="${escaped(inlineFile)}">clinic flame of the inline host</a>, ${inlineClients} clients, from start to end</p>
${runs.map(runSection).join('\n')}
</body>
</html>
`
}

function runSection({ clients, seconds, commitsPerSecond, threads }: PagesOfRun): string {
  return `<h2>A thread a node, ${counted(clients, 'client')}</h2>
<p>${decimal(commitsPerSecond)} commits a second while it was profiled, for ${seconds} s after the warm-up</p>
${threads.map(threadTable).join('\n')}`
}

function threadTable({ thread, role, file, busy, hottest }: PageOfThread): string {
  const rows = hottest.map(
    ({ name, place, share }) =>
      `<tr><td>${percent(share)}</td><td><code>${escaped(name)}</code></td><td><code>${escaped(place)}</code></td></tr>`,
  )
  return `<table>
<caption><a href="${escaped(file)}">${escaped(thread)}, ${escaped(role)}</a>: busy ${percent(busy)} of the time</caption>
<thead><tr><th scope="col">self time</th><th scope="col">function</th><th scope="col">in</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`
}

/** 0x names no page, and a row of tabs without names is of little use. */
export function titled(page: string, title: string): string {
  return page.replace(/<head>/, () => `<head>\n<title>${escaped(title)}</title>`)
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
