/** The feed and the panels on a real cluster: explanations, scenarios, keys, members and the tour. */
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { browserTest, calm, sandbox, shown } from './browser.js'
import { leaderIn, nodeIn } from './ring.js'

/** Scrolls back to the last line of the feed that begins so: on a busy machine many come behind it. */
async function clickInFeed(page: Page, words: RegExp): Promise<void> {
  const feed = page.getByRole('list', { name: 'what happened' })
  const line = feed.getByRole('button', { name: words }).last()
  await page.locator('.feed-scroll').hover()
  const isFound = async (): Promise<boolean> => {
    if ((await line.count()) > 0) return true
    await page.mouse.wheel(0, -150)
    return false
  }
  await expect.poll(isFound, { timeout: 40_000 }).toBe(true)
  await line.click()
}

browserTest('an election is explained by a click on its line of the feed', async () => {
  const { page, doLine } = await shown()
  const killed = await leaderIn(page)
  await doLine(`kill ${killed}`)
  const next = await leaderIn(page, killed)
  await clickInFeed(page, new RegExp(`^node ${next} leads term`))
  const panel = page.getByRole('tabpanel', { name: 'explain' })
  await panel.getByRole('list', { name: 'what led to it, and what came of it' }).waitFor()
  await panel
    .locator('.explain-words')
    .filter({ hasText: `node ${next}` })
    .waitFor()
  await panel.getByRole('table', { name: 'votes' }).getByText('log is up to date').first().waitFor()
  await panel.getByText('explain election', { exact: false }).first().waitFor()
  await panel.getByRole('button', { name: 'picture of who said what to whom' }).click()
  const picture = page.getByRole('dialog', { name: 'who said what to whom' })
  await picture.getByRole('img', { name: /^messages and roles of all nodes/ }).waitFor()
  await page.keyboard.press('Escape')
  await picture.waitFor({ state: 'detached' })
})

browserTest('the way of a command across all nodes is one click from its entry in a log', async () => {
  const { page, doLine } = await shown()
  await leaderIn(page)
  await doLine('put color blue')
  await page.getByRole('application', { name: /^logs of all nodes/ }).focus()
  await page.keyboard.press('End')
  await page.keyboard.press('Enter')
  await page
    .getByRole('tabpanel', { name: 'explain' })
    .locator('.explain-words')
    .filter({ hasText: /committed/ })
    .waitFor()
})

browserTest('a scenario is followed to its verdict on a cluster of its own', async () => {
  const { page, leaders } = await shown()
  const leader = await leaderIn(page)
  await page.getByRole('tab', { name: 'scenarios' }).click()
  await page.getByRole('button', { name: 'start leader-kill' }).click()
  await page.getByRole('list', { name: 'story' }).getByRole('listitem').first().waitFor()
  await nodeIn(page, 1).waitFor()
  const verdict = page.getByRole('region', { name: 'verdict' })
  await verdict.getByText('All promises were kept').waitFor({ timeout: 50_000 })
  await page.getByRole('button', { name: 'back to the cluster' }).click()
  expect(await leaderIn(page)).toBe(leader)
  expect(await leaders()).toEqual([leader])
})

browserTest("the stale value of a follower that is cut off stands beside the leader's", async () => {
  const { page, doLine } = await shown()
  const leader = await leaderIn(page)
  const behind = (leader % 3) + 1
  await doLine('put greeting old')
  await page.getByRole('tab', { name: 'keys' }).click()
  await page.getByRole('combobox', { name: 'beside' }).selectOption(String(behind))
  const row = page.getByRole('row', { name: /^greeting/ })
  await row.filter({ hasText: /old\s*old/ }).waitFor()
  await doLine(`isolate ${behind}`)
  await page.getByRole('textbox', { name: 'value' }).fill('new')
  await page.getByRole('button', { name: 'put', exact: true }).click()
  await row.filter({ hasText: /new\s*old/ }).waitFor()
  await doLine('heal')
  await row.filter({ hasText: /new\s*new/ }).waitFor()
})

browserTest(
  'the panel of keys lets go of a node that is removed, and of one that the next sandbox has not',
  async () => {
    const { page, url, child, doLine } = await shown(['--nodes', '4'])
    await leaderIn(page)
    await doLine('put greeting old')
    await page.getByRole('tab', { name: 'keys' }).click()
    const beside = page.getByRole('combobox', { name: 'beside' })
    const row = page.getByRole('row', { name: /^greeting/ })
    await beside.selectOption('4')
    await row.filter({ hasText: /old\s*old/ }).waitFor()
    await doLine('remove 4')
    await expect.poll(() => beside.inputValue(), { timeout: 20_000 }).toBe('')
    await doLine('put greeting new')
    await row.filter({ hasText: /^greeting\s*new$/ }).waitFor()
    await beside.selectOption('3')
    await row.filter({ hasText: /new\s*new/ }).waitFor()
    child.kill('SIGKILL')
    await page.getByRole('alert').filter({ hasText: 'not connected' }).waitFor()
    const next = await sandbox(...calm, '--nodes', '2', '--page', new URL(url).port)
    await leaderIn(page)
    await expect.poll(() => beside.inputValue(), { timeout: 20_000 }).toBe('')
    await next.doLine('put greeting other')
    await row.filter({ hasText: /^greeting\s*other$/ }).waitFor()
  },
)

browserTest('a node is added and removed in the panel of members', async () => {
  const { page } = await shown()
  await leaderIn(page)
  await page.getByRole('tab', { name: 'members' }).click()
  const panel = page.getByRole('tabpanel', { name: 'members' })
  await panel.getByRole('button', { name: 'add a voter' }).click()
  await panel.getByRole('row', { name: /^4 voter/ }).waitFor()
  await nodeIn(page, 4, 'follower').waitFor()
  await panel.getByRole('row', { name: /^4/ }).getByRole('button', { name: 'remove' }).click()
  await page.getByText('3 nodes', { exact: true }).waitFor()
  await nodeIn(page, 4).waitFor({ state: 'hidden' })
})

browserTest('the tour is taken from its first step to its last on the cluster that runs', async () => {
  const { page, doLine } = await shown()
  await leaderIn(page)
  await page.getByRole('button', { name: 'begin the tour' }).click()
  const tour = page.getByRole('region', { name: 'the tour' })
  const [, count] = /of (\d+)/.exec(await tour.innerText()) ?? []
  for (let at = 1; at < Number(count); at++) {
    await tour.getByText(`step ${at} of ${count}`).waitFor()
    const line = tour.getByRole('button', { name: 'do it' })
    if ((await line.count()) > 0) await line.click()
    await tour.getByRole('button', { name: 'next', exact: true }).click()
  }
  await tour.getByRole('button', { name: 'end, and put all back' }).click()
  await page.getByRole('button', { name: 'begin the tour' }).waitFor()
  await expect.poll(() => doLine('faults'), { timeout: 20_000 }).toMatchObject({ faults: [] })
})

browserTest('a load is begun by the line that its form shows, and is ended', async () => {
  const { page } = await shown()
  await leaderIn(page)
  await page.getByRole('tab', { name: 'load' }).click()
  const load = page.getByRole('tabpanel', { name: 'load' })
  await load.getByRole('textbox', { name: 'clients' }).fill('4')
  await load.getByRole('textbox', { name: 'size' }).fill('1kB')
  await load.getByRole('textbox', { name: 'rate' }).fill('50')
  await load.getByText('load 4 size 1kB rate 50/s', { exact: true }).waitFor()
  await load.getByRole('button', { name: 'begin' }).click()
  await load.getByText('4 clients; the last second').waitFor()
  await load.getByRole('button', { name: 'end the load' }).click()
  await load.getByRole('button', { name: 'begin' }).waitFor()
})

browserTest('a tour that is left in the middle heals what it broke, and no other fault', async () => {
  const { page, doLine } = await shown()
  const killed = await leaderIn(page)
  await page.getByRole('button', { name: 'begin the tour' }).click()
  const tour = page.getByRole('region', { name: 'the tour' })
  while ((await tour.getByRole('heading').textContent()) !== 'A vote')
    await tour.getByRole('button', { name: /^(?:next|skip)$/ }).click()
  await tour.getByRole('button', { name: 'do it' }).click()
  await leaderIn(page, killed)
  await doLine('cut 1-2')
  await tour.getByRole('button', { name: 'leave the tour' }).click()
  await expect
    .poll(() => doLine('faults'), { timeout: 20_000 })
    .toMatchObject({ faults: [{ line: 'cut 1-2' }] })
})

browserTest('the figures above the plots are whole, however wide the window is', async () => {
  const { page } = await shown([], { viewport: { width: 900, height: 600 } })
  await leaderIn(page)
  // Figures as wide as they come, measured before the next frame writes others.
  const cut = () =>
    page.evaluate<string[]>(`[...document.querySelectorAll('.plot figcaption')].flatMap((told) => {
      for (const { lastChild } of told.querySelectorAll('span')) lastChild.data = /^commits/.test(told.innerText) ? '24.6k' : '24.6 ms'
      return told.scrollWidth > told.clientWidth ? [innerWidth + ': ' + told.innerText] : []
    })`)
  for (const width of [900, 1000, 1280, 1600, 1920]) {
    await page.setViewportSize({ width, height: 800 })
    await page.evaluate('new Promise(requestAnimationFrame)')
    expect.soft(await cut()).toEqual([])
  }
})
