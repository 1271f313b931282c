export { Driver, type ReadConfirmation } from './driver.js'
export { defaultLogBounds, type LogBounds } from './snapshotter.js'
