/** The page of a sandbox: its flags, its address, and its server for as long as the cluster lives. */
import { isIP } from 'node:net'
import type { Command } from 'commander'
import { portMax, reasonOf } from '../errors/index.js'
import type { PageServer } from '../server/index.js'
import { addressSpaceLeft } from '../storage/index.js'
import { addFlags, BadInput, lineOf, wholeNumberOrOff } from '../terminal/index.js'
import { checkNotInUse, rememberedPort, rememberPage } from './page-port.js'
import { warn } from './warnings.js'

export interface PageOptions {
  readonly page?: number | 'off'
  readonly open?: boolean
  readonly listen?: string
  readonly token?: string
}

/** The address that only programs of this machine reach. */
const loopback = '127.0.0.1'

/** Node reserves most of it for the parser of its own HTTP, and a process to which that is refused ends at once. */
const addressMib = 11 * 1024

export function addPageFlags(command: Command): Command {
  return addFlags(command, [
    [
      '--page <port>',
      'the port of the page, 0 for any free one, or off (default: the one that the directory remembers, or any free one)',
      wholeNumberOrOff('--page', 0, portMax),
    ],
    ['--open', 'open the page in the browser'],
    [
      '--listen <address>',
      `the address at which the page can be reached; another than ${loopback} takes a --token`,
      addressFlag,
    ],
    ['--token <text>', 'the page asks for this token everywhere', tokenFlag],
  ])
}

function addressFlag(text: string): string {
  if (isIP(text) !== 0) return text
  throw new BadInput(`--listen: give an address such as 127.0.0.1, 0.0.0.0 or ::1, not '${text}'`)
}

/** A token travels in a header, in a cookie and in an address. */
function tokenFlag(text: string): string {
  if (/^[\w.~-]{1,200}$/.test(text)) return text
  throw new BadInput('--token: give 1 to 200 letters, digits or any of - . _ ~')
}

/** A page that is there for as long as the work goes on; `undefined`: it is off. */
export async function withPage<Result>(
  options: PageOptions,
  dir: string | undefined,
  work: (page: Page | undefined) => Promise<Result>,
): Promise<Result> {
  checkOptions(options)
  if (options.page === 'off') return work(undefined)
  const server = await listen(options, dir)
  try {
    return await work(new Page(server, options, dir))
  } finally {
    await server.close()
  }
}

function checkOptions({ page, open = false, listen = loopback, token }: PageOptions): void {
  if (page === 'off' && open) throw new BadInput('--open: there is no page to open with --page off')
  const isOfMachine = listen.startsWith('127.') || listen === '::1'
  if (!isOfMachine && token === undefined)
    throw new BadInput(
      `--listen: other machines reach ${listen}: choose a token and give it with --token, which the page then asks for`,
    )
}

async function listen(
  { page, listen: address = loopback, token }: PageOptions,
  dir: string | undefined,
): Promise<PageServer> {
  const remembered = page === undefined && dir !== undefined ? rememberedPort(dir) : undefined
  const port = page === 'off' ? 0 : (page ?? remembered ?? 0)
  const leftMib = addressSpaceLeft() / 2 ** 20
  if (leftMib < addressMib)
    throw new BadInput(
      `--page: the page takes ${addressMib} MiB of address space, and ${Math.max(0, Math.floor(leftMib))} are left: raise the limit with ulimit -v, or give --page off`,
    )
  // Other commands begin sooner without it.
  const { PageServer } = await import('../server/index.js')
  try {
    return await PageServer.listen({ address, port, token })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EADDRINUSE')
      throw new BadInput(`the page cannot listen at ${address}, port ${port}: ${reasonOf(error)}`)
    // The sandbox of this directory may have the port itself.
    if (dir !== undefined && remembered !== undefined) checkNotInUse(dir)
    const whence = remembered === undefined ? '' : `, which ${dir} remembers,`
    throw new BadInput(
      `port ${port} of ${address}${whence} is in use: end the program that has it, or choose another port with --page`,
    )
  }
}

export class Page {
  readonly server: PageServer
  readonly token: string | undefined
  readonly #isToOpen: boolean
  readonly #dir: string | undefined

  constructor(server: PageServer, { open = false, token }: PageOptions, dir: string | undefined) {
    this.server = server
    this.token = token
    this.#isToOpen = open
    this.#dir = dir
  }

  /** The address to be opened in a browser. */
  get url(): string {
    return this.token === undefined ? this.server.url : `${this.server.url}?token=${this.token}`
  }

  get api(): string {
    return `${this.server.url}api`
  }

  /** The page can be looked at. */
  async ready(): Promise<void> {
    if (this.#dir !== undefined) rememberPage(this.#dir, this.server)
    if (!this.#isToOpen) return
    const { default: open } = await import('open')
    await open(this.url).catch((error: unknown) => warn(`no browser could be opened: ${lineOf(error)}`))
  }
}
