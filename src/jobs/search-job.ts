/** One thread's share of a search. */
import { type Bounds, type Found, type LaneOf, Search, type Shared } from '../search/index.js'

export interface SearchShare extends LaneOf {
  readonly bounds: Bounds
  readonly shared: Shared
}

export default function searchJob({ bounds, shared, ...place }: SearchShare): Found {
  return new Search(bounds, shared, place).run()
}
