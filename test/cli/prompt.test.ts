/** The prompt of a person: a line editor with Tab and a history. */
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { historyMax, Prompt, type Terminal } from '../../src/cli/prompt.js'
import { complete } from '../../src/verbs/index.js'

function typing(history: readonly string[] = []) {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const terminal = {
    stdin: Object.assign(input, { isTTY: true }),
    stdout: Object.assign(output, { isTTY: true, columns: 200 }),
  } as unknown as Terminal
  const remembered: string[][] = []
  const prompt = new Prompt(
    '> ',
    new AbortController().signal,
    {
      completer(line) {
        const [offers, typed] = complete(line, [1, 2, 3])
        return [[...offers], typed]
      },
      history,
      remember: (lines) => remembered.push([...lines]),
    },
    terminal,
  )
  const lines: string[] = []
  const ended = prompt.forEachLine(async (line) => {
    lines.push(line())
    return lines.at(-1) !== 'quit'
  })
  // Key by key: a Tab within a text that is pasted is a part of it.
  const type = (text: string) => {
    for (const key of text) input.write(key)
  }
  return { input, type, lines, ended, remembered, said: () => String(output.read() ?? '') }
}

const up = '\x1b[A'

test('Tab completes what can stand there, and offers what is left to choose', async () => {
  const { type, lines, ended, said } = typing()
  type('sta\ttus\r')
  type('resu\t2\r')
  type('dela\t1->l\t80ms j\t20ms\r')
  type('slow-disk fo\t\ts 1s\r')
  type('quit\r')
  await ended
  expect(lines).toEqual([
    'status',
    'resume 2',
    'delay 1->leader 80ms jitter 20ms',
    'slow-disk followers 1s',
    'quit',
  ])
  expect(said()).toContain('followers')
})

test('lines of this session and of earlier ones come back, each once, and no more than are kept', async () => {
  const { input, lines, ended, remembered } = typing(['newest', 'older'])
  input.write(`status\r${up}${up}${up}\r`)
  for (let n = 0; n < historyMax; n++) input.write(`get ${n}\r`)
  input.write('quit\r')
  await ended
  expect(lines.slice(0, 2)).toEqual(['status', 'older'])
  expect(remembered[1]).toEqual(['older', 'status', 'newest'])
  expect(remembered.at(-1)?.length).toBe(historyMax)
})
