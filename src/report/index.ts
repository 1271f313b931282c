/** Records of the bench suite: what they hold, how two of them compare, and the pages made of them. */
export type { BenchRecord, BenchResult, Distribution, Figure, TimelinePoint } from './bench-record.js'
export { compareRecords } from './compare.js'
export { escaped } from './html.js'
export { markdownOf } from './markdown.js'
export { pageOf } from './page.js'
export { parseRecord } from './parse-record.js'
export { medianOf } from './verdict.js'
export { comparisonLines } from './words.js'
