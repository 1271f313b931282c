export * from './links.js'
