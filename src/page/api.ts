/** Asks the server: a line to carry out, a document of JSON, a stream of events. */
import { EventLines, type StreamEvent } from './event-lines.js'
import { keep, kept } from './storage.js'
import { whileSeen } from './while-seen.js'

/** An answer to a line: its data and its words, or the reason for which nothing was done. */
export type Answer =
  | { readonly ok: true; readonly words: string; readonly [field: string]: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string }

const tokenName = 'raftbox-token'

/** A token that stands in the page's address is kept for as long as the tab lives, and taken out of the address. */
export function keepToken(): void {
  const address = new URL(location.href)
  const token = address.searchParams.get('token')
  if (token === null) return
  keep('sessionStorage', tokenName, token)
  address.searchParams.delete('token')
  history.replaceState(null, '', address)
}

function headers(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const token = kept('sessionStorage', tokenName)
  return token === null ? { ...more } : { ...more, authorization: `Bearer ${token}` }
}

/** A path below the page's own address. */
function urlOf(path: string): URL {
  return new URL(path.replace(/^\//, ''), new URL('.', location.href))
}

/** The address of a path for a link, which carries the token itself. */
export function addressOf(path: string): string {
  const address = urlOf(path)
  const token = kept('sessionStorage', tokenName)
  if (token !== null) address.searchParams.set('token', token)
  return address.href
}

/** Carries out a line, as at the prompt. Never throws: what goes wrong is an answer. */
export async function doLine(line: string): Promise<Answer> {
  return answerOf('/api/do', { method: 'POST', body: line })
}

/** Posts text, or deletes. Never throws. */
export async function answerOf(path: string, init: { method: string; body?: string }): Promise<Answer> {
  try {
    const response = await fetch(urlOf(path), { ...init, headers: headers({ 'content-type': 'text/plain' }) })
    const told = (await response.json().catch(() => undefined)) as Answer | undefined
    return told ?? { ok: false, code: 'NO_ANSWER', message: statusIn(response) }
  } catch (error) {
    return { ok: false, code: 'NO_ANSWER', message: whyLost(error) }
  }
}

/** A document of JSON. Throws an error whose message says what is wrong. */
export async function getJson<Document>(path: string): Promise<Document> {
  return JSON.parse(await getText(path)) as Document
}

/** Throws an error whose message says what is wrong. */
export async function getText(path: string): Promise<string> {
  const response = await fetch(urlOf(path), { headers: headers() })
  if (!response.ok) throw new Error(await whyRefused(response))
  return response.text()
}

export interface StreamReader {
  /** The connection stands. Each time that it is made anew, too. */
  onOpen?(): void
  /** Events that came together. */
  onEvents(events: readonly StreamEvent[]): void
  /** The connection is lost, and is tried again. */
  onLost?(why: string): void
  /** The server has told all, and the stream is not asked for again. Without it, the stream is one that never ends. */
  onEnd?(): void
  /** The id behind which the stream is to go on. */
  lastId?: string
}

const retryMs = { first: 250, most: 4000 }

interface Place {
  lastId: string | undefined
}

/**
 * Reads a stream of server-sent events until it is closed, and connects again when the connection breaks, or when the page
 * is seen again: behind the last id that came. The browser's own EventSource tells neither why it was refused, nor lets
 * the first id be chosen.
 */
export function openStream(path: string, reader: StreamReader): () => void {
  const place = { lastId: reader.lastId }
  return whileSeen(() => {
    const closing = new AbortController()
    void readAgainAndAgain(path, reader, place, closing.signal)
    return () => closing.abort()
  })
}

async function readAgainAndAgain(
  path: string,
  reader: StreamReader,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
  let waitMs = retryMs.first
  while (!signal.aborted) {
    let hasBegun = false
    try {
      await readOnce(path, reader, place, signal, () => (hasBegun = true))
      if (reader.onEnd !== undefined) return reader.onEnd()
      reader.onLost?.('the stream has ended')
    } catch (error) {
      if (signal.aborted) return
      reader.onLost?.(whyLost(error))
    }
    waitMs = hasBegun ? retryMs.first : Math.min(2 * waitMs, retryMs.most)
    await new Promise((done) => setTimeout(done, waitMs))
  }
}

async function readOnce(
  path: string,
  reader: StreamReader,
  place: Place,
  signal: AbortSignal,
  begun: () => void,
): Promise<void> {
  const resumes = place.lastId === undefined ? {} : { 'last-event-id': place.lastId }
  const response = await fetch(urlOf(path), { headers: headers(resumes), signal, cache: 'no-store' })
  if (!response.ok || response.body === null) throw new Error(await whyRefused(response))
  begun()
  reader.onOpen?.()
  const lines = new EventLines()
  const decoder = new TextDecoder()
  const reading = response.body.getReader()
  for (;;) {
    const { value, done } = await reading.read()
    if (done || signal.aborted) return
    const events = lines.take(decoder.decode(value, { stream: true }))
    place.lastId = events.findLast(({ id }) => id !== undefined)?.id ?? place.lastId
    if (events.length > 0) reader.onEvents(events)
  }
}

/** The server says why in its answer; anything else in between says it by its status. */
async function whyRefused(response: Response): Promise<string> {
  const told = await response.json().catch(() => undefined)
  return typeof told?.message === 'string' ? told.message : statusIn(response)
}

function statusIn({ status }: Response): string {
  return `the server answers ${status}`
}

/** The browser's own error of a connection that broke, or was not made, tells nothing of the reason. */
function whyLost(error: unknown): string {
  return error instanceof TypeError ? 'the sandbox does not answer' : wordsOf(error)
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
