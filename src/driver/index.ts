export type { Clock } from './clock.js'
export { Driver, type DriverOptions, type ReadConfirmation } from './driver.js'
export type { ChangeOutcome, TransferOutcome } from './operations.js'
