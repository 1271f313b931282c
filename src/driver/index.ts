export type { Clock } from './clock.js'
export { Driver } from './driver.js'
export type { ChangeOutcome, TransferOutcome } from './operations.js'
export type { DriverOptions, ReadConfirmation } from './options.js'
