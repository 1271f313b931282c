/** Runs that were recorded: scrolled back in, saved, opened again, and shared as one file that needs no server. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { temporaryFolder } from '../../cli/raftbox.js'
import { browserTest, emptyPage, shown } from './browser.js'
import { leaderIn, nodeIn } from './ring.js'

/** A run in which a leader was killed and another one elected. */
async function shownRun() {
  const all = await shown()
  const first = await leaderIn(all.page)
  await all.doLine(`kill ${first}`)
  await nodeIn(all.page, first, 'down').waitFor()
  const second = await leaderIn(all.page, first)
  return { ...all, first, second }
}

function timeLine(page: Page): Locator {
  return page.getByRole('slider', { name: /^moment that is shown/ })
}

async function downloaded(page: Page, link: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: link, exact: true }).click(),
  ])
  const path = join(temporaryFolder(), download.suggestedFilename())
  await download.saveAs(path)
  return path
}

async function choose(page: Page, path: string): Promise<void> {
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'open …' }).click(),
  ])
  await chooser.setFiles(path)
}

browserTest('scrolling back shows who led before, and the present is one key away', async () => {
  const { page, first, second } = await shownRun()
  await timeLine(page).focus()
  await page.keyboard.press('Home')
  await page.getByText('the past', { exact: true }).waitFor()
  // On from frame to frame until the first leader leads, however soon it was killed.
  const leads = nodeIn(page, first, 'leader, .*lease held')
  const isThere = async () => {
    const isSeen = await leads.isVisible()
    if (!isSeen) await page.keyboard.press('ArrowRight')
    return isSeen
  }
  await expect.poll(isThere, { interval: 200, timeout: 20_000 }).toBe(true)
  // On to the next moment, which is its end.
  await page.keyboard.press('PageDown')
  await nodeIn(page, first, 'down').waitFor()
  await page.getByText('the past', { exact: true }).waitFor()
  await page.keyboard.press('End')
  expect(await leaderIn(page)).toBe(second)
  await nodeIn(page, first, 'down').waitFor()
})

browserTest('a saved run is opened again, and left for the cluster that runs', async () => {
  const { page, first, second, doLine } = await shownRun()
  const path = await downloaded(page, 'save')
  await doLine(`restart ${first}`)
  await nodeIn(page, first, 'follower').waitFor()
  await choose(page, path)
  await page.getByText('a recorded run', { exact: true }).waitFor()
  // The run ends before the restart.
  await nodeIn(page, first, 'down').waitFor()
  const fault = page.getByRole('list', { name: 'faults that stand' }).getByRole('listitem')
  const [box, line] = await Promise.all([fault.boundingBox(), fault.locator('code').boundingBox()])
  const rightOf = (of: typeof box) => (of?.x ?? 0) + (of?.width ?? 0)
  expect(rightOf(box) - rightOf(line), 'the line keeps away from its frame').toBeGreaterThan(4)
  expect(await leaderIn(page)).toBe(second)
  await page.getByRole('button', { name: 'back to the cluster' }).click()
  await nodeIn(page, first, 'follower').waitFor()
})

browserTest('a run that is shared as one HTML file needs no server and asks for nothing', async () => {
  const { page, first, second, doLine } = await shownRun()
  const file = pathToFileURL(await downloaded(page, 'as a page')).href
  const alone = await emptyPage(file)
  await alone.goto(file)
  await alone.getByText('a recorded run', { exact: true }).waitFor()
  expect(await leaderIn(alone)).toBe(second)
  await nodeIn(alone, first, 'down').waitFor()
  await timeLine(alone).focus()
  await alone.keyboard.press('Home')
  await nodeIn(alone, second, 'follower').waitFor()
  // It opens other runs, and comes back to its own.
  const back = alone.getByRole('button', { name: 'back to the run of this page' })
  expect(await back.count()).toBe(0)
  await doLine('add')
  await nodeIn(page, 4).waitFor()
  await choose(alone, await downloaded(page, 'save'))
  await nodeIn(alone, 4).waitFor()
  await back.click()
  await nodeIn(alone, 4).waitFor({ state: 'detached' })
  expect(await leaderIn(alone)).toBe(second)
  await back.waitFor({ state: 'detached' })
})
