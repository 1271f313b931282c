/** Downloads: a run so far, as lines or as one HTML file of the page with the lines inside, and pictures of it. */
import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { pageFile } from './page-files.js'
import { HttpRefusal } from './refusals.js'

/** A record holds the whole story in memory while it is written. */
const atOnceMax = 2
const pieceLength = 1 << 16
/** A reader that has read nothing of a piece for so long loses its place. */
const waitedMsMax = 60_000

export interface Download {
  readonly type: string
  /** `undefined`: it is shown, and not saved. */
  readonly fileName: string | undefined
  /** Text before all lines and behind them. */
  readonly begin: string
  readonly end: string
  /** The line as it stands in the file. */
  readonly written: (line: string) => string
}

export const recordFile: Download = {
  type: 'application/x-ndjson',
  fileName: 'raftbox-run.jsonl',
  begin: '',
  end: '',
  written: (line) => line,
}

export const pictureFile: Download = { ...recordFile, type: 'image/svg+xml', fileName: undefined }

/** The page as one file, which asks for nothing from anywhere. */
export async function recordPage(): Promise<Download> {
  const [html, script, style] = await Promise.all([text('index.html'), text('page.js'), text('page.css')])
  const policy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
  const [begin = '', end = ''] = html
    .replace(/<script\b[^>]*><\/script>|<link rel="stylesheet"[^>]*>/g, '')
    .replace('<head>', () => `<head>\n<meta http-equiv="content-security-policy" content="${policy}">`)
    .replace(
      '</head>',
      () => `<style>${style}</style>\n<script type="module">${asInline(script)}</script>\n</head>`,
    )
    .split('</body>')
  return {
    type: 'text/html; charset=utf-8',
    fileName: 'raftbox-run.html',
    begin: `${begin}<script type="application/x-raftbox-record">\n`,
    end: `</script>\n</body>${end}`,
    // A `<` stands only in strings of JSON. With none, no line ends the element.
    written: (line) => line.replaceAll('<', '\\u003c'),
  }
}

async function text(name: Parameters<typeof pageFile>[0]): Promise<string> {
  return String((await pageFile(name)).bytes)
}

/** In a script, `</script` and `<!--` stand only in strings and patterns, where a backslash changes nothing. */
function asInline(script: string): string {
  return script.replace(/<\/(script)/gi, '<\\/$1').replaceAll('<!--', '<\\!--')
}

export class Records {
  #count = 0

  /** Writes the lines as fast as they are read, a piece a turn. Throws an `HttpRefusal` when too many are written. */
  async send(outgoing: ServerResponse, lines: () => Iterable<string>, download: Download): Promise<void> {
    if (this.#count >= atOnceMax)
      throw new HttpRefusal('TOO_MANY_READERS', `${atOnceMax} downloads go on already: ask again soon`)
    this.#count++
    try {
      const { type, fileName, begin, end, written } = download
      outgoing.writeHead(200, {
        'content-type': type,
        ...(fileName && { 'content-disposition': `attachment; filename="${fileName}"` }),
      })
      let piece = begin
      for (const line of lines()) {
        piece += `${written(line)}\n`
        if (piece.length < pieceLength) continue
        if (outgoing.destroyed) return
        await send(outgoing, piece)
        piece = ''
      }
      if (!outgoing.destroyed) outgoing.end(piece + end)
    } finally {
      this.#count--
    }
  }
}

async function send(outgoing: ServerResponse, piece: string): Promise<void> {
  if (outgoing.write(piece)) return setImmediate()
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => outgoing.destroy(), waitedMsMax).unref()
    const done = (): void => {
      clearTimeout(timer)
      outgoing.off('drain', done).off('close', done)
      resolve()
    }
    outgoing.on('drain', done).on('close', done)
  })
}
