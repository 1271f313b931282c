/** The machine as a module that nodes load. */
export { createMvcc as default } from './machine.js'
