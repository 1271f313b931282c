import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { groupsOf } from '../../src/report/figures.js'
import { type Plot, plotsOf } from '../../src/report/plots.js'
import { mainRows } from '../../src/report/words.js'
import { run, temporaryFile, temporaryFolder } from '../cli/raftbox.js'
import { figureOf, recordOf, resultOf, wholeRecord } from './bench-records.js'

/** The page's plots, as its script reads them. */
function plotsIn(page: string): Plot[] {
  const text = /<script type="application\/json" id="plots">([\s\S]*?)<\/script>/.exec(page)?.[1]
  return JSON.parse(text ?? '') as Plot[]
}

async function reportOf(record: object, ...more: readonly string[]) {
  const file = temporaryFile('record.json', JSON.stringify(record))
  const out = join(temporaryFolder(), 'out')
  const { code, stdout, stderr, left } = await run(['report', file, '--out', out, ...more])
  expect([code, stderr, left]).toEqual([0, '', []])
  const read = (name: string) => readFileSync(join(out, name), 'utf8')
  expect(readdirSync(out).sort()).toEqual(['record.html', 'record.md'])
  return { stdout, out, page: read('record.html'), markdown: read('record.md') }
}

describe('a report', () => {
  test('says where its files are, and they hold the figures', async () => {
    const { stdout, out, page, markdown } = await reportOf(wholeRecord)
    expect(stdout).toBe(`${join(out, 'record.html')}\n${join(out, 'record.md')}\n`)
    for (const words of ['Example 9000, 2 cores, 8.0 GiB', 'commit abc123', 'rounds 3']) {
      expect(page).toContain(words)
      expect(markdown).toContain(words)
    }
    // Median of 6400, 7680 and 1, with the range.
    expect(page).toContain('<th scope="row">the case clients/64/flush</th><td>6,400 (1 to 7,680)</td>')
    expect(markdown).toContain(
      '| the case clients/64/flush | 6,400 (1 to 7,680) | 1.5 (1.23 to 2) | 8 (7 to 9) |',
    )
    expect(markdown).toContain('| stability/6 | memoryMostBytes | 687 MB | 1 |')
    expect(markdown).toContain('- stability/6: 2 elections in round 2, second 4')
  })

  test('is written beside the record without --out', async () => {
    const file = temporaryFile('mine.json', JSON.stringify(wholeRecord))
    const { stdout } = await run(['report', file])
    const start = file.replace(/\.json$/, '')
    expect(stdout).toBe(`${start}.html\n${start}.md\n`)
    expect(readdirSync(join(file, '..')).sort()).toEqual(['mine.html', 'mine.json', 'mine.md'])
  })

  test('needs no network: nothing is fetched, and nothing may be', async () => {
    const { page } = await reportOf(wholeRecord)
    expect(page).toContain('default-src &#39;none&#39;')
    expect(page).not.toMatch(/<(?:link|img|iframe|script)\b[^>]*\b(?:src|href)=/)
    expect(page).not.toContain('@import')
    // The library is in it, with its licence, and the drawing that uses it.
    for (const words of [
      'var uPlot=function',
      'Permission is hereby granted',
      'new PlotPage(uPlot, document, window).open()',
    ])
      expect(page).toContain(words)
  })

  test('draws throughput and latency over clients on logarithmic axes, by durability', async () => {
    const plots = plotsIn((await reportOf(wholeRecord)).page)
    const throughput = plots.find(({ title }) => title === 'clients: commitsPerSecond over clients')
    expect(throughput).toMatchObject({
      kind: 'lines',
      xLog: true,
      yLog: true,
      xs: [1, 64, 1024],
      yLabel: '1/s',
    })
    expect(throughput?.series).toEqual([
      { label: 'durability flush', values: [100, 6400, 102_400] },
      { label: 'durability none', values: [200, 12_800, 204_800] },
    ])
    const latency = plots.find(({ title }) => title === 'clients: p50ms, p99ms over clients')
    expect(latency?.series[2]).toEqual({ label: 'p99ms, durability flush', values: [8, 8, 8] })
  })

  test('draws distributions on an axis by nines, with the most at its end and no place for zero', async () => {
    const plot = plotsIn((await reportOf(wholeRecord)).page).find(({ title }) =>
      title.startsWith('clients: put'),
    )
    expect(plot?.xs.map((x) => Number(x.toFixed(3)))).toEqual([0, 0.301, 2, 3])
    expect(plot?.xTicks.map(([, label]) => label)).toEqual(['0', '50', '99', 'max'])
    expect(plot?.series[0]).toEqual({ label: '1/flush', values: [null, 1.5, 8, 12] })
    expect(plot?.yLog).toBe(true)
  })

  test('draws bars for sizes, and with a logarithm where one would hide the other', async () => {
    const bars = plotsIn((await reportOf(wholeRecord)).page).find(({ title }) => title.startsWith('sizes'))
    expect(bars).toMatchObject({ kind: 'bars', yLog: true })
    expect(bars?.xTicks.map(([, label]) => label)).toEqual(['16', '16384'])
    expect(bars?.series[0]?.values.filter((value) => value !== null)).toEqual([100_000, 97.65625])
  })

  test('draws time lines by round, with the elections marked and told in words', async () => {
    const { page } = await reportOf(wholeRecord)
    const timeline = plotsIn(page).find(
      ({ title }) => title === 'stability/6: commits per second, second by second',
    )
    expect(timeline?.marks).toEqual([[4, '2 elections in round 2, second 4']])
    expect(timeline?.series[1]).toEqual({ label: 'round 2', values: [2000, 2001, 2002, 2003, 2004, 2005] })
    expect(page).toContain('Dashed: 2 elections in round 2, second 4')
  })

  test('a short time line is drawn only for its elections', () => {
    const point = { round: 0, second: 0, commitsPerSecond: 5, p99ms: 1, elections: 0 }
    const timelinesOf = (elections: number) => {
      const record = recordOf([resultOf('a/b', { timeline: [{ ...point, elections }] })])
      return groupsOf(record).flatMap((group) => plotsOf(group).timelines)
    }
    expect(timelinesOf(0)).toEqual([])
    expect(timelinesOf(1)).toHaveLength(2)
  })

  test('a group whose cases have little in common is a list, with bars of what most of them have', () => {
    const results = [1, 8, 64, 256, 1024].map((clients) =>
      resultOf(`peers/${clients}`, {
        // Nothing that makes a curve: the cases differ in more than the clients.
        parameters: { clients, against: `peer ${clients}` },
        figures: [
          figureOf(`commitsPerSecond: ${clients}`, '1/s', 'higher', clients),
          figureOf('ratio', '', 'higher', clients / 10),
        ],
      }),
    )
    const [group] = groupsOf(recordOf(results))
    const { overview } = plotsOf(group!)
    expect(overview.map(({ title, kind }) => [title, kind])).toEqual([['peers: ratio', 'bars']])
    expect(mainRows(group!).rows[0]).toEqual(['peers/1', 'commitsPerSecond: 1 (1/s)', '1', '1'])
    expect(mainRows(group!).rows).toHaveLength(10)
  })

  test('what a record holds can not become markup', async () => {
    const nasty = '</script><img src=x onerror=alert(1)>|`"&'
    const record = recordOf(
      [
        resultOf(`${nasty}/1`, { title: nasty, figures: [figureOf(nasty, nasty, 'lower', 1)] }),
        resultOf(`${nasty}/2`, { title: nasty, figures: [figureOf(nasty, nasty, 'lower', 2)] }),
      ],
      { settings: { [nasty]: nasty }, startedAt: '2026-01-02' },
    )
    const { page, markdown } = await reportOf(record)
    expect(page).not.toContain('<img')
    expect(page).toContain('&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;|`&quot;&amp;')
    // One script of data and one of code, each ended by us.
    expect(page.match(/<\/script>/g)).toHaveLength(2)
    expect(plotsIn(page)[0]?.title).toContain(nasty)
    expect(markdown).not.toMatch(/[^\\]<img/)
    expect(markdown).toContain('\\</script\\>\\<img src=x onerror=alert(1)\\>\\|\\`"&')
  })
})

describe("the page's script", () => {
  /** As the browser runs it, with stand-ins for the library and for what it needs of the page. */
  function drawn(page: string, width: number) {
    const code =
      /\nclass PlotPage[\s\S]*new PlotPage\(uPlot, document, window\)\.open\(\)/.exec(page)?.[0] ?? ''
    const charts: { options: ChartOptions; data: readonly (readonly (number | null)[])[] }[] = []
    class Chart {
      static readonly paths = { bars: () => 'bars' }
      constructor(options: ChartOptions, data: readonly (readonly (number | null)[])[]) {
        charts.push({ options, data })
      }
    }
    const targets = [...page.matchAll(/data-plot="(\d+)"/g)].map(([, plot]) => ({
      clientWidth: width,
      dataset: { plot },
    }))
    const listened: string[] = []
    const addEventListener = (name: string) => listened.push(name)
    runInNewContext(code, {
      uPlot: Chart,
      document: {
        documentElement: {},
        getElementById: () => ({ textContent: JSON.stringify(plotsIn(page)) }),
        querySelectorAll: (selector: string) => (selector === '[data-plot]' ? targets : []),
      },
      window: {
        addEventListener,
        getComputedStyle: () => ({ getPropertyValue: (name: string) => ` ${name} ` }),
        matchMedia: () => ({ addEventListener }),
      },
    })
    return { charts, listened }
  }

  interface ChartOptions {
    readonly width: number
    readonly scales: { readonly x: { readonly distr?: number }; readonly y: { readonly distr?: number } }
    readonly axes: readonly { values(chart: unknown, splits: readonly number[]): string[] }[]
    readonly series: readonly { readonly label: string }[]
  }

  test('stands by itself, and draws every plot in the place that is made for it', async () => {
    const { page } = await reportOf(wholeRecord)
    const plots = plotsIn(page)
    const { charts, listened } = drawn(page, 360)
    expect(plots.length).toBeGreaterThan(5)
    expect(charts.map(({ data }) => JSON.stringify(data))).toEqual(
      plots.map(({ xs, series }) => JSON.stringify([xs, ...series.map(({ values }) => values)])),
    )
    for (const [at, { options }] of charts.entries()) {
      expect(options.width).toBe(360)
      expect(options.series.slice(1).map(({ label }) => label)).toEqual(
        plots[at]?.series.map(({ label }) => label),
      )
      expect(options.scales.y.distr === 3).toBe(plots[at]?.yLog)
    }
    // Numbers of clients are told to the last digit; other numbers are short.
    expect(charts[0]?.options.axes[0]?.values(undefined, [1, 64, 1024])).toEqual(['1', '64', '1024'])
    expect(charts[0]?.options.axes[1]?.values(undefined, [500, 20_000, 3_000_000])).toEqual([
      '500',
      '20 k',
      '3 M',
    ])
    expect(listened.sort()).toEqual(['change', 'resize'])
  })

  test('draws nothing where there is no width yet', async () => {
    expect(drawn((await reportOf(wholeRecord)).page, 0).charts).toEqual([])
  })
})

describe('a comparison', () => {
  const noisy = (middle: number) => [0.98, 1.01, 1, 1.02, 0.99].map((share) => share * middle)
  const runWith = (throughput: number, latency: number, rounds = 5) =>
    recordOf([
      resultOf('clients/64', {
        figures: [
          figureOf('commitsPerSecond', '1/s', 'higher', ...noisy(throughput).slice(0, rounds)),
          figureOf('p99ms', 'ms', 'lower', ...noisy(latency).slice(0, rounds)),
          figureOf('flushesPerCommit', '', 'neither', ...noisy(latency).slice(0, rounds)),
        ],
      }),
    ])

  async function compared(before: object, after: object) {
    const old = temporaryFile('old.json', JSON.stringify(before))
    const { stdout, page, markdown } = await reportOf(after, '--compare', old)
    const cellsOf = (figure: string) =>
      markdown
        .split('\n')
        .find((line) => line.startsWith(`| clients/64 | ${figure}`) && line.endsWith('/ 5 |'))
        ?.split(' | ')
    return { stdout, page, markdown, cellsOf }
  }

  test('more commits and less waiting are better', async () => {
    const { stdout, cellsOf, page } = await compared(runWith(1000, 10), runWith(1300, 8))
    expect(cellsOf('commitsPerSecond')?.slice(2, 6)).toEqual(['1,000', '1,300', '+30.0 %', 'better'])
    expect(cellsOf('p99ms')?.slice(2, 6)).toEqual(['10', '8', '-20.0 %', 'better'])
    expect(cellsOf('flushesPerCommit')?.[5]).toBe('changed')
    expect(stdout).toContain('2 better, 0 worse, 1 changed that are neither, 0 same')
    expect(stdout).toMatch(/clients\/64 +commitsPerSecond \(1\/s\) +1,000 +1,300 +\+30\.0 % +better/)
    expect(page).toContain('<td class="better">better</td>')
  })

  test('fewer commits and more waiting are worse, and the exit code is 0 all the same', async () => {
    const { stdout, cellsOf } = await compared(runWith(1300, 8), runWith(1000, 10))
    expect([cellsOf('commitsPerSecond')?.[5], cellsOf('p99ms')?.[5]]).toEqual(['worse', 'worse'])
    expect(stdout).toContain('0 better, 2 worse, 1 changed that are neither, 0 same')
  })

  test('what lies within the noise is the same, and is not listed on the terminal', async () => {
    const { stdout, cellsOf } = await compared(runWith(1000, 10), runWith(1005, 10.05))
    expect(cellsOf('commitsPerSecond')?.[5]).toBe('same')
    expect(stdout).toContain('0 better, 0 worse, 0 changed that are neither, 3 same')
    expect(stdout).not.toContain('clients/64')
    expect(stdout).toContain('exact Mann-Whitney')
    expect(stdout).toContain('Up to 1 of 3 figures would seem to differ by chance alone')
  })

  test('with one round the noise is said to be unknown, and a verdict is a guess', async () => {
    const { stdout } = await compared(runWith(1000, 10, 1), runWith(1300, 10, 1))
    expect(stdout).toMatch(/commitsPerSecond.* better\? /)
    expect(stdout).toContain('the noise is unknown')
    expect(stdout).not.toContain('by chance alone')
  })

  test('when nearly all that differs goes one way, the machine is named as a possible cause', async () => {
    const many = (factors: readonly number[]) =>
      recordOf(
        factors.map((factor, at) =>
          resultOf(`sizes/${at}`, { figures: [figureOf('p99ms', 'ms', 'lower', ...noisy(10 * factor))] }),
        ),
      )
    const before = many([1, 1, 1, 1, 1, 1])
    const drift = 'the same program on'
    expect((await compared(before, many([2, 2, 2, 2, 2, 2]))).stdout).toContain(`${drift} a busier machine`)
    expect((await compared(before, many([2, 2, 2, 2, 2, 2].map((x) => 1 / x)))).stdout).toContain(
      `${drift} a quieter machine`,
    )
    expect((await compared(before, many([2, 2, 2, 0.5, 0.5, 0.5]))).stdout).not.toContain(drift)
    expect((await compared(before, many([2, 2, 1, 1, 1, 1]))).stdout).not.toContain(drift)
  })

  test('other machines, settings and figures are named', async () => {
    const before = {
      ...runWith(1000, 10),
      machine: { ...wholeRecord.machine, cores: 64 },
      settings: { quick: false, rounds: 3, only: 'clients' },
    }
    const after = runWith(1000, 10)
    const [result] = after.results
    const { stdout, page } = await compared(before, {
      ...after,
      results: [
        {
          ...result,
          parameters: { clients: 65 },
          figures: [...(result?.figures ?? []), figureOf('elections', '', 'lower', 1)],
        },
      ],
    })
    for (const words of [
      'machine: cores: before 64, after 2',
      'settings: quick: before false, after true',
      'settings: only: before clients, after not given',
      'clients/64: clients: before',
      'only after: clients/64 elections',
    ]) {
      expect(stdout).toContain(`note: ${words}`)
      expect(page).toContain(words)
    }
  })

  test('values of different units are not compared', async () => {
    const timed = (unit: string, value: number) =>
      recordOf([resultOf('a/b', { figures: [figureOf('time', unit, 'lower', value)] })])
    const { stdout } = await compared(timed('s', 1), timed('ms', 1010))
    expect(stdout).toContain('only before: a/b time (s)')
    expect(stdout).toContain('only after: a/b time (ms)')
    expect(stdout).not.toContain('+')
  })
})

describe('bad input', () => {
  const good = JSON.stringify(wholeRecord)
  const changed = (change: (record: typeof wholeRecord) => object) => JSON.stringify(change(wholeRecord))

  test.each([
    ['an empty file', '', 'the file is empty'],
    ['no JSON', 'commits: many', 'this is no JSON, or the file is cut off'],
    ['a truncated record', good.slice(0, -200), 'this is no JSON, or the file is cut off'],
    ['another JSON', '{"name":"raftbox"}', 'this is no record of the bench suite'],
    ['a list', '[]', 'this is no record of the bench suite'],
    ['null', 'null', 'this is no record of the bench suite'],
    [
      'a later version',
      changed((record) => ({ ...record, version: 2 })),
      'version 2, and this raftbox reads version 1',
    ],
    ['no version', changed(({ version: _, ...rest }) => rest), 'version undefined'],
    ['no machine', changed(({ machine: _, ...rest }) => rest), 'record.machine should be an object'],
    ['no time', changed((record) => ({ ...record, startedAt: 'soon' })), 'record.startedAt should be a time'],
    [
      'a figure without values',
      JSON.stringify(recordOf([resultOf('a/b', { figures: [figureOf('x', '', 'lower')] })])),
      'record.results[0].figures[0].values should be a list that is not empty',
    ],
    [
      'a figure that is no number',
      JSON.stringify(recordOf([resultOf('a/b', { figures: [figureOf('x', '', 'lower', Number.NaN)] })])),
      'record.results[0].figures[0].values[0] should be a number',
    ],
    [
      'a distribution that goes back',
      JSON.stringify(
        recordOf([
          resultOf('a/b', {
            distributions: [
              {
                name: 'put',
                points: [
                  [50, 2],
                  [99, 1],
                ],
              },
            ],
          }),
        ]),
      ),
      'record.results[0].distributions[0].points[1] should be a percentile up to 100',
    ],
    [
      'a result twice',
      JSON.stringify(recordOf([resultOf('a/b'), resultOf('a/b')])),
      'holds the result a/b twice',
    ],
    [
      'a figure twice',
      JSON.stringify(
        recordOf([
          resultOf('a/b', { figures: [figureOf('x', '', 'lower', 1), figureOf('x', '', 'lower', 2)] }),
        ]),
      ),
      'the result a/b holds the figure x twice',
    ],
  ])('%s is refused in one line, and nothing is written', async (_, text, words) => {
    const out = join(temporaryFolder(), 'out')
    const bad = temporaryFile('bad.json', text)
    const fine = temporaryFile('fine.json', good)
    for (const args of [
      [bad, '--out', out],
      [fine, '--compare', bad, '--out', out],
    ]) {
      const { code, stdout, stderr } = await run(['report', ...args])
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(/^raftbox: [^\n]+\n$/)
      expect(stderr).toContain(bad)
      expect(stderr).toContain(words)
      expect(() => readdirSync(out)).toThrow()
    }
  })

  test.each([
    ['no file', ['report'], "missing required argument 'file'"],
    ['a missing file', ['report', 'no/such.json'], 'no/such.json: there is no such file'],
    ['a folder', ['report', '.'], '. is a directory'],
    ['standard input', ['report', '-'], 'the page and the Markdown file take its name'],
    ['no folder', ['report', 'x.json', '--out', ''], '--out: give the path of a directory'],
  ])('%s is refused in one line', async (_, args, words) => {
    const { code, stdout, stderr } = await run(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^raftbox: [^\n]+\n$/)
    expect(stderr).toContain(words)
  })

  test('where nothing can be written it is said so, and nothing half-written is left', async () => {
    const file = temporaryFile('record.json', good)
    const below = await run(['report', file, '--out', join(file, 'x')])
    expect(below.code).toBe(2)
    expect(below.stderr).toMatch(/^raftbox: nothing can be written to [^\n]*choose another with --out\n$/)
    // A folder stands where the page would go.
    const out = temporaryFolder()
    mkdirSync(join(out, 'record.html'))
    writeFileSync(join(out, 'record.html', 'keep'), '')
    const blocked = await run(['report', file, '--out', out])
    expect(blocked.code).toBe(2)
    expect(readdirSync(out)).toEqual(['record.html'])
  })
})
