/** The address of the page, kept beside the logs of a directory: a sandbox that comes back has the same port. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { portMax } from '../errors/index.js'
import { lockOf, writeWhole } from '../storage/index.js'

const fileName = 'page.json'

/** `undefined` where no port is remembered. */
export function rememberedPort(dir: string): number | undefined {
  const { port } = remembered(dir)
  return Number.isInteger(port) && Number(port) > 0 && Number(port) <= portMax ? Number(port) : undefined
}

/** The address of the page as a browser has it; `undefined` where none is remembered. */
export function rememberedUrl(dir: string): URL | undefined {
  const { url } = remembered(dir)
  return typeof url === 'string' && url.startsWith('http://') && URL.canParse(url) ? new URL(url) : undefined
}

function remembered(dir: string): { readonly port?: unknown; readonly url?: unknown } {
  try {
    return { ...JSON.parse(readFileSync(join(dir, fileName), 'utf8')) }
  } catch {
    return {}
  }
}

/** An address that cannot be remembered is no reason to end with an error. */
export function rememberPage(dir: string, { port, url }: { port: number; url: string }): void {
  if (rememberedPort(dir) === port && rememberedUrl(dir)?.href === url) return
  try {
    writeWhole(dir, fileName, Buffer.from(`${JSON.stringify({ port, url })}\n`))
  } catch {
    // As on a full disk, of which the nodes themselves tell.
  }
}

/** Throws where another program holds the directory, as a start of its cluster would. */
export function checkNotInUse(dir: string): void {
  lockOf(dir).release()
}
