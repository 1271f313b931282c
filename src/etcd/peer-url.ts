/** The text of a peer URL: what etcd accepts as one, and how it writes it again. Both are the rules of Go's `net/url`. */
import { EtcdError } from './errors.js'

/** `scheme://user@host:port?query#fragment`. A peer URL has no path. */
const urlForm = /^(https?|unixs?):\/\/(?:([^/?#]*)@)?([^/?#@]*)(\?[^#]*)?(?:#(.*))?$/is
/** Go cuts a name in square brackets from its port behind the brackets, and any other name at its only colon. */
const hostForm = /^(?:\[[^[\]]*\]|[^[\]:]*):\d*$/

/** Characters of ASCII that stand in a host as they are. Others are refused there. */
const hostKept = /[\w.~!$&'()*+,;=:[\]<>"-]/
const hostAllowed = /^(?:[\w.~!$&'()*+,;=:[\]<>"-]|%25|%[89a-f][\da-f]|[^\0-\x7f])*$/i
const userKept = /[\w.~$&+,;=-]/
/** A fragment of these stays as it is, escapes among them. A fragment with any other character is escaped anew. */
const fragmentClean = /^[\w.~!$&'()*+,;=:@[\]/?%-]*$/
const fragmentKept = /[\w.~!$&()*+,;=:@/?-]/
const brokenEscape = /%(?![\da-f]{2})/i
const userAllowed = /^(?:[\w.~!$&'()*+,;=:@-]|%[\da-f]{2})*$/i

/** URLs as etcd takes them for a new member, in the order of their bytes. */
export function checkedPeerUrls(urls: readonly string[]): readonly string[] {
  if (urls.length === 0) throw new EtcdError('badUrl')
  return urls.map(checked).sort()
}

function checked(url: string): string {
  const [whole, scheme = '', user, host = '', query = '', fragment = ''] = urlForm.exec(url.trim()) ?? []
  if (whole === undefined || hasControl(query)) throw new EtcdError('badUrl')
  if (!hostAllowed.test(host) || !hostForm.test(host)) throw new EtcdError('badUrl')
  if (user !== undefined && !userAllowed.test(user)) throw new EtcdError('badUrl')
  if (brokenEscape.test(fragment)) throw new EtcdError('badUrl')
  const before = user === undefined ? '' : `${writtenUser(user)}@`
  const after = fragmentClean.test(fragment) ? fragment : written(fragment, fragmentKept)
  const behind = after === '' ? '' : `#${after}`
  return `${scheme.toLowerCase()}://${before}${written(host, hostKept)}${query}${behind}`
}

/** A password is all behind the first colon. */
function writtenUser(user: string): string {
  const [name = '', ...password] = user.split(':')
  const parts = password.length === 0 ? [name] : [name, password.join(':')]
  return parts.map((part) => written(part, userKept)).join(':')
}

/** Each byte as it is, if it is one of `kept`, and else as an escape. */
function written(escaped: string, kept: RegExp): string {
  const bytes = Buffer.from(escaped).toString('latin1')
  const plain = bytes.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return plain.replace(/./gs, (byte) =>
    byte < '\x80' && kept.test(byte)
      ? byte
      : `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

function hasControl(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\x7f')
}
