export type { Clock } from './clock.js'
export { Driver, type ReadConfirmation } from './driver.js'
