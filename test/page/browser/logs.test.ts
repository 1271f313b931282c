/** The logs, the plots and the marks behind them: what they tell of a cluster that runs, by mouse and by key. */
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { browserTest, shown } from './browser.js'
import { leaderIn } from './ring.js'

function logs(page: Page): Locator {
  return page.getByRole('application', { name: /^logs of all nodes/ })
}

/** The words on the entry that is pointed at. */
function told(page: Page, words: RegExp): Locator {
  return page.getByLabel('Logs', { exact: true }).getByRole('status').filter({ hasText: words })
}

/** A place on the canvas of the logs: behind the names of the nodes, and in the first row. */
const firstEntry = { x: 62, y: 30 }

browserTest('an entry tells what it holds: to keys, and to the mouse', async () => {
  const { page, doLine } = await shown()
  await leaderIn(page)
  const { index } = await doLine('put colour green')
  await logs(page).focus()
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('Home')
  await told(page, /^1 on node 1: term 1, applied, opens the term of its leader$/).waitFor()
  await page.keyboard.press('ArrowDown')
  await told(page, /^1 on node 2: /).waitFor()
  for (let at = 1; at < Number(index); at++) await page.keyboard.press('ArrowRight')
  await told(page, new RegExp(`^${index} on node 2: term 1, applied, .*colour`)).waitFor()
  await page.keyboard.press('Home')
  await logs(page).locator('canvas').hover({ position: firstEntry })
  await told(page, /^1 on node 1: /).waitFor()
})

browserTest('an entry that is clicked, or entered, shows its way across all nodes', async () => {
  const { page, doLine } = await shown()
  await leaderIn(page)
  const { index } = await doLine('put colour green')
  await logs(page).focus()
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('Home')
  await logs(page).locator('canvas').click({ position: firstEntry })
  await page.getByText('explain index 1', { exact: true }).waitFor()
  await logs(page).focus()
  await page.keyboard.press('Home')
  for (let at = 1; at < Number(index); at++) await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  await page.getByText(`explain index ${index}`, { exact: true }).waitFor()
})

browserTest('the logs follow their end until they are moved, and again when they are told to', async () => {
  const { page, doLine } = await shown()
  await leaderIn(page)
  await doLine('load 4')
  const follow = page.getByRole('button', { name: 'follow', exact: true })
  expect(await follow.getAttribute('aria-pressed')).toBe('true')
  // Once the log is longer than its window, its beginning is another place than its end.
  await page
    .getByRole('cell', { name: /^\d{3,}$/ })
    .first()
    .waitFor({ state: 'attached' })
  await doLine('load off')
  await logs(page).focus()
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('Home')
  await told(page, /^1 on node 1: /).waitFor()
  await page.getByRole('button', { name: 'follow', exact: true, pressed: false }).click()
  expect(await follow.getAttribute('aria-pressed')).toBe('true')
  await page.getByRole('button', { name: 'all of the log' }).click()
  // Far away, the first pixel stands for the first few entries.
  await logs(page)
    .locator('canvas')
    .hover({ position: { x: 51, y: 30 } })
  await told(page, /^\d{1,3} on node 1: /).waitFor()
})

browserTest('the figures of the logs are a table too', async () => {
  const { page, doLine } = await shown()
  const leader = await leaderIn(page)
  await doLine('put colour green')
  const row = page
    .getByRole('table', { name: 'the logs in figures' })
    .getByRole('row', { name: new RegExp(`^${leader} leads 1 1 `) })
  await row.waitFor({ state: 'attached' })
})

browserTest(
  'a plot tells the figures and the fault where the mouse is, and a click shows that moment',
  async () => {
    const { page, doLine } = await shown()
    await leaderIn(page)
    await doLine('load 4')
    await doLine('slow-disk 1 20ms')
    await page
      .getByRole('figure')
      .filter({ hasText: /disk flush.*\d ms/ })
      .waitFor()
    await doLine('load off')
    const plot = page.getByRole('figure').filter({ hasText: 'disk flush' }).locator('.u-over')
    const { width = 0 } = (await plot.boundingBox()) ?? {}
    const place = { x: width - 2, y: 10 }
    await page.getByText('slow-disk 1 20ms', { exact: true }).last().waitFor()
    await expect
      .poll(
        async () => {
          await plot.hover({ position: { ...place, x: place.x - 1 } })
          await plot.hover({ position: place })
          return page.getByLabel('Plots', { exact: true }).textContent()
        },
        { timeout: 20_000 },
      )
      .toContain('slow-disk 1 20ms')
    await plot.click({ position: { x: 5, y: 10 } })
    await page.getByText('the past', { exact: true }).waitFor()
  },
)
