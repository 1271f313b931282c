import { expect, test } from 'vitest'
import { explain, StoryReader } from '../../src/explain/index.js'
import { read, Served, some } from './served.js'

function linesOf(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('a record is a story that explain reads, with a line for each frame', async () => {
  const served = await Served.start({ nodes: 3 })
  await served.do('put a 1')
  await read(await served.get('/api/frames'), some('frame', 2))
  const response = await served.get('/api/record')
  expect(response.headers.get('content-disposition')).toBe('attachment; filename="raftbox-run.jsonl"')
  const text = await response.text()
  const story = new StoryReader()
  for (const line of text.trimEnd().split('\n')) story.take(line)
  const { happened } = served.cluster.story()
  expect(story.story?.happened.slice(0, 3)).toEqual(JSON.parse(JSON.stringify(happened.slice(0, 3))))
  expect(explain(story.story!, { about: 'election' }).words).toMatch(/won the election/)
  const frames = linesOf(text).flatMap(({ frame }) =>
    frame === undefined ? [] : [frame as { number: number }],
  )
  expect(frames.length).toBeGreaterThan(1)
  expect(frames.map(({ number }) => number)).toEqual(frames.map((_, at) => at + 1))
})

test('a record as one page holds the same lines, and nothing that would be fetched or end its script', async () => {
  const served = await Served.start()
  await read(await served.get('/api/frames'), some('frame', 1))
  // Why a node failed is foreign text.
  const why = '</script><script>alert(1)</script><!--'
  const failed = { type: 'failed', why, sequence: 1e6, atMs: 1, nodeId: 1, cause: undefined } as const
  const story = served.cluster.story()
  Object.assign(served.cluster, { story: () => ({ ...story, happened: [...story.happened, failed] }) })
  const html = await (await served.get('/api/record.html')).text()
  const [, record = ''] = /<script type="application\/x-raftbox-record">\n(.*)<\/script>/s.exec(html) ?? []
  expect(record).not.toContain('<')
  expect(linesOf(record)[0]).toMatchObject({ story: 'raftbox' })
  expect(linesOf(record)).toContainEqual({ happened: expect.objectContaining({ why }) })
  expect(linesOf(record).some(({ frame }) => frame !== undefined)).toBe(true)
  expect(html).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)="(?!data:)/)
  expect(html).toMatch(/<script type="module">/)
  expect(html.match(/<\/script>/g)).toHaveLength(2)
})

test('two records are written at once, and their places come free', async () => {
  const served = await Served.start()
  const slow = await Promise.all([served.get('/api/record.html'), served.get('/api/record.html')])
  expect(slow.map(({ status }) => status)).toEqual([200, 200])
  await Promise.all(slow.map((response) => response.text()))
  expect((await served.get('/api/record')).status).toBe(200)
})
