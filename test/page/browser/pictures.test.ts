/**
 * The pictures of the guides: `UPDATE_PICTURES=1` makes them anew. Otherwise what they show is gone through, and nothing
 * is written.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { browserTest, shown } from './browser.js'
import { dragBetween, hasSeconds, leaderIn, linkIn, nodeIn } from './ring.js'

const folder = 'docs/pictures'
const isUpdated = process.env['UPDATE_PICTURES'] === '1'

async function picture(page: Page, name: string): Promise<void> {
  if (!isUpdated) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}

/** The colours and the size of a small laptop. */
const laptop = (colorScheme: 'light' | 'dark') => ({ colorScheme, viewport: { width: 1366, height: 768 } })

browserTest('three nodes under load, in light', async () => {
  const { page, doLine } = await shown([], laptop('light'))
  await leaderIn(page)
  await doLine('put color blue')
  await doLine('put greeting hello')
  await doLine('load 8 rate 100/s')
  await page.getByRole('button', { name: 'clients: 8 clients' }).waitFor()
  await page.getByRole('tab', { name: 'keys' }).click()
  await page.getByRole('row').nth(2).waitFor()
  await hasSeconds(page, 8)
  await picture(page, 'three-nodes')
})

browserTest('seven nodes with faults of each kind, in dark', async () => {
  const { page, doLine } = await shown(['--nodes', '7'], laptop('dark'))
  const leader = await leaderIn(page)
  const others = [1, 2, 3, 4, 5, 6, 7].filter((nodeId) => nodeId !== leader)
  const [killed = 0, frozen = 0, slow = 0, one = 0, other = 0] = others
  await doLine('load 8 rate 100/s')
  await doLine(`kill ${killed}`)
  await doLine(`pause ${frozen} for 120s`)
  await doLine(`slow-disk ${slow} 30ms`)
  await doLine(`delay ${leader}-${one} 20ms jitter 5ms`)
  await doLine(`cut ${one}->${other}`)
  await nodeIn(page, frozen, 'paused').waitFor()
  await linkIn(page, one, other, ': .*cut.*').waitFor()
  await picture(page, 'seven-nodes')
})

browserTest('an election explained', async () => {
  const { page, doLine } = await shown([], laptop('light'))
  const killed = await leaderIn(page)
  await doLine('put color blue')
  await doLine(`kill ${killed}`)
  await leaderIn(page, killed)
  await page.getByRole('tab', { name: 'explain' }).click()
  await page.getByRole('button', { name: 'latest election' }).click()
  await page.getByRole('table', { name: 'votes' }).waitFor()
  await picture(page, 'election-explained')
  await page.getByRole('button', { name: 'picture of who said what to whom' }).click()
  await page.getByRole('img', { name: /^messages and roles of all nodes/ }).waitFor()
  await picture(page, 'election-drawn')
})

browserTest('logs that part, and a whole log of many entries', async () => {
  const { page, doLine } = await shown([], laptop('light'))
  const leader = await leaderIn(page)
  await doLine('load 64')
  await hasSeconds(page, 8)
  await doLine(`isolate ${(leader % 3) + 1}`)
  await hasSeconds(page, 12)
  await page.getByTitle('the whole log (0)').click()
  await picture(page, 'whole-logs')
})

browserTest('the menu of a link, and a verb with its figures', async () => {
  const { page } = await shown([], laptop('light'))
  await leaderIn(page)
  await dragBetween(page, 1, 2)
  await page.getByRole('button', { name: 'delay', exact: true }).click()
  await page.getByRole('button', { name: '10s', exact: true }).click()
  await page.getByRole('button', { name: 'do it' }).waitFor()
  await picture(page, 'link-menu')
})
