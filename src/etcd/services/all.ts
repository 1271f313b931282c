/** The services that every member has. */
import type { ServiceOf } from '../server.js'

export const services: readonly ServiceOf[] = []
