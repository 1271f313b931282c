/** `raftbox metrics`: the figures of a running sandbox, as Prometheus reads them. */
import type { Command } from 'commander'
import { BadInput, Failed, interruptible } from '../terminal/index.js'
import { dirFlag } from './flags.js'
import { rememberedUrl } from './page-port.js'

interface MetricsOptions {
  readonly url?: URL
  readonly dir?: string
  readonly token?: string
}

const explanation = `
The sandbox prints the address of its page, and Prometheus scrapes /metrics there:

  scrape_configs:
    - job_name: raftbox
      scrape_interval: 1s
      static_configs: [{ targets: ['127.0.0.1:7007'] }]

Examples:
  raftbox metrics --url http://127.0.0.1:7007/
  raftbox metrics --dir ./my-cluster | grep raftbox_follower_lag
`

/** A page that answers takes some milliseconds. */
const answerMsMax = 10_000

export function addMetrics(program: Command): void {
  program
    .command('metrics')
    .summary('the figures of a running sandbox, as Prometheus reads them')
    .description('Prints counters, gauges and histograms of each node and of the program that holds them.')
    .option('--url <address>', 'the page of the sandbox', urlFlag)
    .option('--dir <directory>', 'the directory of the sandbox, which remembers its page', dirFlag('--dir'))
    .option('--token <text>', 'the token of the page, if it asks for one')
    .addHelpText('after', explanation)
    .action(async (options: MetricsOptions) => {
      const page = pageOf(options)
      process.exitCode = await interruptible(async (signal) => {
        const token = options.token ?? page.searchParams.get('token') ?? undefined
        const text = await metricsAt(page.origin, token, signal)
        if (!signal.aborted) process.stdout.write(text)
        return 0
      })
    })
}

function urlFlag(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new BadInput(`--url: give the address of a page, such as http://127.0.0.1:7007/, not '${text}'`)
}

function pageOf({ url, dir }: MetricsOptions): URL {
  if (url !== undefined && dir !== undefined) throw new BadInput('give --url or --dir, not both')
  if (url !== undefined) return url
  if (dir === undefined)
    throw new BadInput(
      'whose? give the address of a page with --url, or the directory of a sandbox with --dir',
    )
  const remembered = rememberedUrl(dir)
  if (remembered !== undefined) return remembered
  throw new BadInput(`${dir} remembers no page: give the address that the sandbox printed with --url`)
}

async function metricsAt(origin: string, token: string | undefined, signal: AbortSignal): Promise<string> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const either = AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)])
  try {
    const response = await fetch(`${origin}/metrics`, { headers, signal: either })
    if (response.status === 401)
      throw new BadInput(
        token === undefined
          ? `the page at ${origin} asks for a token: give it with --token`
          : `--token: the page at ${origin} has another token`,
      )
    if (!response.ok || response.headers.get('content-type')?.includes('version=0.0.4') !== true)
      throw new Failed(`${origin} is no page of a sandbox: it answered ${response.status} to GET /metrics`)
    return await response.text()
  } catch (error) {
    if (error instanceof BadInput || error instanceof Failed) throw error
    if (signal.aborted) return ''
    throw new Failed(`no sandbox answers at ${origin}: is it running, and is this the address of its page?`)
  }
}
