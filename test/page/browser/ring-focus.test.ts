/** Where the focus is in the ring, and what keys and assistive technology do there. */
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { browserTest, shown } from './browser.js'
import { leaderIn, linkIn, nodeIn } from './ring.js'

const menuOf = (page: Page, name: string) => page.getByRole('dialog', { name: `verbs for ${name}` })

browserTest('Tab comes back to the link that was left, and a key acts on what has the focus', async () => {
  const { page, doLine } = await shown()
  await leaderIn(page)
  const { keyboard } = page
  // A line that lies flat counts as hidden.
  const hasFocus = (id: string) => page.locator(`${id}:focus`).waitFor({ state: 'attached' })
  for (const key of ['Home', 'ArrowRight', 'ArrowDown', 'ArrowDown']) await keyboard.press(key)
  await hasFocus('#link-2-3')
  await keyboard.press('Shift+Tab')
  await keyboard.press('Tab')
  await hasFocus('#link-2-3')
  await keyboard.press('c')
  await linkIn(page, 2, 3, ': .*cut.*').waitFor()
  // Assistive technology moves the focus without a key.
  await nodeIn(page, 1).focus()
  await keyboard.press('i')
  await expect
    .poll(() => doLine('faults'), { timeout: 20_000 })
    .toMatchObject({ faults: [{ line: 'cut 2-3' }, { line: 'isolate 1' }] })
  // From the node that has the focus, the arrows go on.
  await keyboard.press('ArrowLeft')
  await hasFocus('#clients')
  await keyboard.press('Shift+Tab')
  await keyboard.press('Tab')
  await hasFocus('#clients')
})

browserTest('a node that Tab reaches has its menu at Enter and Space, and takes letters', async () => {
  const { page, doLine } = await shown()
  await leaderIn(page)
  const { keyboard } = page
  while ((await page.locator('#node-1:focus').count()) === 0) await keyboard.press('Tab')
  for (const key of ['Enter', 'Space']) {
    await keyboard.press(key)
    await menuOf(page, 'node 1').waitFor()
    await keyboard.press('Escape')
    await page.locator('#node-1:focus').waitFor()
  }
  // The second Escape leaves nothing chosen, and the focus where it was.
  await keyboard.press('Escape')
  await keyboard.press('Enter')
  await menuOf(page, 'node 1').waitFor()
  await keyboard.press('Escape')
  await keyboard.press('Escape')
  await keyboard.press('k')
  await nodeIn(page, 1, 'down').waitFor()
  // A button of the ring keeps its keys, whatever is chosen.
  await nodeIn(page, 2).focus()
  await page.getByRole('button', { name: 'heal kill 1', exact: true }).focus()
  await keyboard.press('Enter')
  await expect.poll(() => doLine('faults'), { timeout: 20_000 }).toMatchObject({ faults: [] })
})

browserTest(
  'a click of assistive technology, which has no pointer, opens the menu of a node, a link and the clients',
  async () => {
    const { page } = await shown()
    await leaderIn(page)
    for (const [id, name] of [
      ['node-2', 'node 2'],
      ['link-1-3', 'link node 1 – node 3'],
      ['clients', 'clients'],
    ] as const) {
      await page.locator(`#${id}`).dispatchEvent('click')
      await menuOf(page, name).waitFor()
      await page.keyboard.press('Escape')
      await page.locator(`#${id}:focus`).waitFor()
    }
  },
)

browserTest('the menu of a node closes when the node goes, and the focus stays in the ring', async () => {
  const { page, doLine } = await shown()
  await leaderIn(page)
  const { keyboard } = page
  // At last without a menu. No id of a node is given twice.
  for (const [nodeId, key] of [
    [4, 'Enter'],
    [5, 's'],
    [6, undefined],
  ] as const) {
    await doLine('add')
    await nodeIn(page, nodeId, 'follower').waitFor()
    await nodeIn(page, nodeId).focus()
    if (key !== undefined) {
      await keyboard.press(key)
      await page.locator('.menu :focus').waitFor()
    }
    await doLine(`remove ${nodeId}`)
    await nodeIn(page, nodeId).waitFor({ state: 'detached' })
    await page.locator('.menu').waitFor({ state: 'detached' })
    await page.locator('#node-1[tabindex="0"]:focus').waitFor()
  }
})
