/** The services that every member has. */
import type { Service } from './server.js'

export const services: readonly Service[] = []
