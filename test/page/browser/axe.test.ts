/** Faults that axe-core finds for readers who cannot see the page, or see it badly: none, in light and in dark. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import { browserTest, shown } from './browser.js'
import { dragBetween, leaderIn, linkIn, nodeIn } from './ring.js'

/** Each finding, with the first element that it is about. */
async function findings(page: Page): Promise<readonly string[]> {
  await page.evaluate(`if (!window.axe) { ${axe.source} }`)
  return page.evaluate<string[]>(`axe.run().then(({ violations }) => violations.map(
    ({ id, help, nodes }) => id + ': ' + help + ': ' + nodes.slice(0, 3).map(({ html, any }) => html.slice(0, 200) + ' ' + (any[0]?.message ?? '')).join(' | ')
  ))`)
}

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  browserTest('axe finds nothing wrong with the page, its menus, its keys and its faults', async () => {
    const { page } = await shown([], { colorScheme })
    await leaderIn(page)
    expect.soft(await findings(page)).toEqual([])
    await dragBetween(page, 1, 2)
    await page.getByRole('dialog', { name: 'verbs for link node 1 – node 2' }).waitFor()
    expect.soft(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'throttle', exact: true }).click()
    expect.soft(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'do it' }).click()
    await linkIn(page, 1, 2, ': .*/s.*').waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('pause 3\nkill 1\ndelay 2-3 ')
    await nodeIn(page, 1, 'down').waitFor()
    await page.getByRole('listbox').waitFor()
    expect.soft(await findings(page)).toEqual([])
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'keys', exact: true }).click()
    expect.soft(await findings(page)).toEqual([])
  })

  browserTest('axe finds nothing wrong with any tab', async () => {
    const { page } = await shown([], { colorScheme })
    await leaderIn(page)
    for (const tab of await page.getByRole('tab').all()) {
      await tab.click()
      expect.soft(await findings(page), await tab.innerText()).toEqual([])
    }
  })
})
