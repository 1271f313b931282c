/** The library that draws a page's plots. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** As text. */
export interface Library {
  readonly script: string
  readonly style: string
  readonly license: string
}

/** From its package, to be embedded: a page that fetches it would not work offline. */
export function plottingLibrary(): Library {
  const require = createRequire(import.meta.url)
  const script = require.resolve('uplot/dist/uPlot.iife.min.js')
  const style = require.resolve('uplot/dist/uPlot.min.css')
  const license = require.resolve('uplot/LICENSE')
  const read = (path: string): string => readFileSync(path, 'utf8')
  return { script: read(script), style: read(style), license: read(license) }
}
