export { Driver, type ReadConfirmation } from './driver.js'
