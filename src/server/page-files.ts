/** The files of the built page. Nothing else of the disk is served. */
import { readFile } from 'node:fs/promises'
import { HttpRefusal } from './refusals.js'

const types = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
} as const

export type PageFile = keyof typeof types

export const pageFiles = Object.keys(types) as PageFile[]

/** From the compiled file. */
const folder = new URL('../../page/', import.meta.url)

export async function pageFile(name: PageFile): Promise<{ readonly bytes: Buffer; readonly type: string }> {
  try {
    return { bytes: await readFile(new URL(name, folder)), type: types[name] }
  } catch {
    throw new HttpRefusal('NOT_FOUND', `the page is not built: ${name} is not there; run npm run build`)
  }
}
