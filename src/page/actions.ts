/** Lines that the reader lets the sandbox carry out, by words, by gesture or by key: one way for all, with their answers. */
import { signal } from '@preact/signals'
import { type Answer, doLine } from './api.js'
import { cursor } from './store.js'

export interface Done {
  readonly number: number
  readonly line: string
  /** `undefined`: it is under way. */
  readonly answer: Answer | undefined
}

const doneMax = 100

/** The last lines, oldest first. */
export const done = signal<readonly Done[]>([])

let count = 0

/** Carries out a line on the sandbox's own cluster, which is then shown as it is now. */
export async function act(line: string): Promise<Answer> {
  const number = ++count
  cursor.value = 'live'
  done.value = [...done.value.slice(1 - doneMax), { number, line, answer: undefined }]
  const answer = await doLine(line)
  done.value = done.value.map((each) => (each.number === number ? { ...each, answer } : each))
  return answer
}
