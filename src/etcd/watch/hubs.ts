/** The one hub of each member. */
import type { Member } from '../member.js'
import { WatchHub } from './hub.js'

const hubs = new WeakMap<Member, WatchHub>()

export function hubOf(member: Member): WatchHub {
  let hub = hubs.get(member)
  if (hub === undefined) {
    hub = new WatchHub(member)
    hubs.set(member, hub)
  }
  return hub
}
