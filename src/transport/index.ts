export * from './client-port.js'
export * from './clone.js'
export * from './links.js'
export * from './port-links.js'
