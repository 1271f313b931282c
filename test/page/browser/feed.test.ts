/** The feed on a real cluster: what happened, why, and what the reader missed meanwhile. */
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { browserTest, shown } from './browser.js'
import { leaderIn } from './ring.js'

function lines(page: Page): Locator {
  return page.getByRole('list', { name: 'what happened', exact: true })
}

function line(page: Page, words: string): Locator {
  return lines(page).getByRole('button', { name: words, exact: true })
}

browserTest('a line of the feed is explained by a click, and its causes lead back', async () => {
  const { page, doLine } = await shown()
  const killed = await leaderIn(page)
  await doLine(`kill ${killed}`)
  const next = await leaderIn(page, killed)
  await lines(page)
    .getByRole('button', { name: new RegExp(`^node ${next} leads term`) })
    .click()
  const explanation = page.getByRole('tabpanel', { name: 'explain' })
  await explanation.getByText(`Why it began: node ${killed} was killed`).waitFor()
  const votes = explanation.getByRole('table', { name: 'votes' })
  expect(await votes.getByRole('row', { name: / yes / }).count()).toBeGreaterThan(0)
  // A cause in the chain is a line of its own, which is explained in its turn.
  const chain = explanation.getByRole('list', { name: 'what led to it, and what came of it' })
  await chain.getByRole('button', { name: new RegExp(`^node ${killed} was killed$`) }).click()
  await chain.getByText(`node ${killed} was killed`, { exact: true }).and(page.locator('strong')).waitFor()
  await chain
    .getByRole('button', { name: /has heard nothing of its leader/ })
    .first()
    .waitFor()
})

browserTest('the feed is one stop of the Tab key, and arrows walk through its lines to a cause', async () => {
  const { page } = await shown()
  await leaderIn(page)
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '')
  const isFocused = (words: RegExp) => expect.poll(focused, { timeout: 20_000 }).toMatch(words)
  await page.getByRole('button', { name: 'faults', exact: true }).focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Home')
  await isFocused(/^node \d runs/)
  // Down to the first vote, over the pre-vote for which it is given.
  for (let steps = 0; steps < 12; steps++) {
    const words = await focused()
    if (/would vote for/.test(words)) break
    await page.keyboard.press('ArrowDown')
    await expect.poll(focused, { timeout: 20_000 }).not.toBe(words)
  }
  await page.keyboard.press('c')
  await isFocused(/starts a pre-vote for term \d/)
  await page.keyboard.press('Enter')
  await page
    .getByRole('tabpanel', { name: 'explain' })
    .getByText(/^explain election \d+$/)
    .waitFor()
})

browserTest('the feed shows one node, or without a kind of line', async () => {
  const { page, doLine } = await shown()
  await leaderIn(page)
  await doLine('cut 1-2')
  await line(page, 'the cluster has a fault: cut 1-2').waitFor()
  await page.getByRole('combobox', { name: 'of which node' }).selectOption('3')
  await lines(page)
    .getByRole('button', { name: /^node 3 / })
    .first()
    .waitFor()
  expect(
    await lines(page)
      .getByRole('button', { name: /^(?:node [12]|the cluster) / })
      .count(),
  ).toBe(0)
  await page.getByRole('combobox', { name: 'of which node' }).selectOption('2')
  await line(page, 'the cluster has a fault: cut 1-2').waitFor()
  await page.getByRole('button', { name: 'faults', pressed: true }).click()
  await line(page, 'the cluster has a fault: cut 1-2').waitFor({ state: 'detached' })
})

browserTest(
  'a reader who has scrolled away stays there, is told what is new, and draws few of many lines',
  async () => {
    const { page, doLine } = await shown()
    await leaderIn(page)
    for (let round = 0; round < 40; round++) {
      await doLine('cut 1-2')
      await doLine('heal')
    }
    await lines(page)
      .getByRole('button', { name: /is healed of a fault: cut 1-2$/ })
      .last()
      .focus()
    const focused = page.locator('.feed-words:focus')
    const held = await focused.getAttribute('data-sequence')
    await page.locator('.feed-scroll').evaluate((box) => box.scrollTo({ top: 0 }))
    await lines(page).locator('[aria-posinset="1"]').waitFor()
    expect(await focused.getAttribute('data-sequence')).toBe(held)
    await page.keyboard.press('Home')
    await focused.and(lines(page).locator('[aria-posinset="1"] .feed-words')).waitFor()
    const first = lines(page).getByRole('listitem').first()
    expect(await first.getAttribute('aria-posinset')).toBe('1')
    expect(await lines(page).getByRole('listitem').count()).toBeLessThan(40)
    await doLine('cut 1-3')
    await page.getByRole('button', { name: /^\d+ new/ }).waitFor()
    expect(await first.getAttribute('aria-posinset')).toBe('1')
    await page.getByRole('button', { name: /^\d+ new/ }).click()
    await line(page, 'the cluster has a fault: cut 1-3').waitFor()
  },
)
