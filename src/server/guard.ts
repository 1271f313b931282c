/**
 * The rules by which a request is refused: it comes from a page of another site, or under a name that was bent to this
 * address, or without the token that is asked for. Nothing has looked at its path then.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import { HttpRefusal } from './refusals.js'

export interface Door {
  readonly address: string
  readonly port: number
  /** `undefined`: only programs of this machine reach the address. */
  readonly token: string | undefined
}

/** Addresses that stand for all addresses of the machine, and the one of them that leads to itself. */
const unspecified: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' }

/** The address and the port as a URL has them. */
export function hostOf({ address, port }: Pick<Door, 'address' | 'port'>): string {
  const host = urlHostOf(address)
  return `${unspecified[host] ?? host}:${port}`
}

/** Browsers write an IPv6 address in one of its many spellings, in brackets and without a zone. */
function urlHostOf(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address.split('%')[0]}]`).hostname : address
}

/** Throws an `HttpRefusal` for a request that may not be answered. Returns the cookie that its answer is to set, if any. */
export function checkRequest(
  request: Pick<IncomingMessage, 'headers' | 'url'>,
  door: Door,
): string | undefined {
  const { host, origin } = request.headers
  checkHost(host, door)
  if (origin !== undefined && origin !== `http://${host?.toLowerCase()}`)
    throw new HttpRefusal('FOREIGN_ORIGIN', `a page of ${origin} may not ask this server`)
  const path = pathOf(request.url)
  // A link on a page of another site may lead here; nothing else of such a page may.
  const site = request.headers['sec-fetch-site']
  if (path !== '/' && (site === 'cross-site' || site === 'same-site'))
    throw new HttpRefusal('FOREIGN_ORIGIN', 'a page of another site may not ask this server')
  return door.token === undefined ? undefined : checkToken(request, door.token, door.port)
}

function checkHost(host: string | undefined, door: Door): void {
  const address = urlHostOf(door.address)
  if (address in unspecified) return
  const { port } = door
  const known = [hostOf(door), `localhost:${port}`, ...(port === 80 ? [address, 'localhost'] : [])]
  if (host !== undefined && known.includes(host.toLowerCase())) return
  throw new HttpRefusal(
    'FOREIGN_ORIGIN',
    `this server answers at ${hostOf(door)} and at localhost:${port}, and not at ${host ?? 'no host'}`,
  )
}

/** A browser that showed the token once gets a cookie, since the files of a page are asked for without it. */
function checkToken(
  { headers, url }: Pick<IncomingMessage, 'headers' | 'url'>,
  token: string,
  port: number,
): string | undefined {
  const cookie = `raftbox-${port}`
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
  const inCookie = new RegExp(`(?:^|;\\s*)${cookie}=([^;]*)`).exec(headers.cookie ?? '')?.[1]
  // A question mark within the query is a letter as any other.
  const [, ...query] = (url ?? '').split('?')
  const inQuery = new URLSearchParams(query.join('?')).get('token')
  if (inQuery !== null && isEqual(inQuery, token))
    return `${cookie}=${encodeURIComponent(token)}; HttpOnly; SameSite=Strict; Path=/`
  if (bearer !== undefined && isEqual(bearer, token)) return undefined
  if (inCookie !== undefined && isEqual(inCookie, encodeURIComponent(token))) return undefined
  throw new HttpRefusal(
    'TOKEN_NEEDED',
    'this server asks for its token: send it as Authorization: Bearer TOKEN, or as ?token=TOKEN',
  )
}

/** Takes as long for a token that is nearly right as for any other. */
function isEqual(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => createHash('sha256').update(text).digest())
  return first !== undefined && second !== undefined && timingSafeEqual(first, second)
}

export function pathOf(url: string | undefined): string {
  return url?.split('?', 1)[0] ?? '/'
}
