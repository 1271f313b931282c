/** The registry of verbs, as the sandbox tells it. */
import { effect, signal } from '@preact/signals'
import type { VerbTold } from '../server/index.js'
import { getJson } from './api.js'
import { connection, subject } from './store.js'

/** Empty until it is known, and for a record. */
export const verbs = signal<readonly VerbTold[]>([])

/** Asks for the verbs whenever a connection is made: another sandbox may have others. */
export function beginVerbs(): void {
  effect(() => {
    if (subject.value === 'record' || connection.value.state !== 'live') return
    getJson<{ readonly verbs: readonly VerbTold[] }>('/api/verbs').then(
      (told) => {
        verbs.value = told.verbs
      },
      // The connection that broke here is made again, and the verbs are then asked for once more.
      () => undefined,
    )
  })
}
