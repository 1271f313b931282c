export * from './errors.js'
export * from './known-options.js'
