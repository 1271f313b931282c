/** The ring on a real cluster, in a real browser: by mouse, by key, across reloads and restarts. */
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { temporaryFolder } from '../../cli/raftbox.js'
import { browserTest, calm, emptyPage, sandbox, shown } from './browser.js'
import { dragBetween, hasSeconds, leaderIn, linkIn, nodeIn } from './ring.js'

describe.each([3, 7])('%d nodes', (count) => {
  const nodes = ['--nodes', String(count)]

  browserTest('are shown, and one of them leads', async () => {
    const { page, leaders } = await shown(nodes)
    const leader = await leaderIn(page)
    expect(await leaders()).toEqual([leader])
    await page.getByText(`${count} nodes`, { exact: true }).waitFor()
    expect(await page.getByRole('button', { name: /^node \d, follower, term \d/ }).count()).toBe(count - 1)
  })

  browserTest('elect another leader when the mouse kills the one they have', async () => {
    const { page, doLine, leaders } = await shown(nodes)
    const killed = await leaderIn(page)
    await nodeIn(page, killed).click()
    await page
      .getByRole('dialog', { name: `verbs for node ${killed}` })
      .getByRole('button', { name: 'kill', exact: true })
      .click()
    await nodeIn(page, killed, 'down').waitFor()
    const next = await leaderIn(page, killed)
    expect(await doLine('put a 1')).toMatchObject({ ok: true })
    expect(await leaders()).toEqual([next])
    // The line that would have done it is told, to be copied.
    await page.getByText(`kill ${killed}`, { exact: true }).first().waitFor()
    await nodeIn(page, killed).click()
    await page.getByRole('button', { name: 'restart', exact: true }).click()
    await nodeIn(page, killed, 'follower').waitFor()
  })

  browserTest('have a link cut by a drag, and healed by a click', async () => {
    const { page, doLine } = await shown(nodes)
    await leaderIn(page)
    await page.getByRole('button', { name: 'cut', exact: true }).click()
    await dragBetween(page, 1, 3)
    await linkIn(page, 1, 3, ': .*cut.*').waitFor()
    expect(await doLine('faults')).toMatchObject({ faults: [{ line: 'cut 1-3' }] })
    await page.getByRole('button', { name: 'heal cut 1-3' }).click()
    await linkIn(page, 1, 3, '').waitFor()
    expect(await doLine('faults')).toMatchObject({ faults: [] })
  })
})

browserTest('a fault is chosen with the sliders and times of a menu, and heals by itself', async () => {
  const { page } = await shown()
  await leaderIn(page)
  await dragBetween(page, 1, 2)
  const menu = page.getByRole('dialog', { name: 'verbs for link node 1 – node 2' })
  await menu.getByRole('button', { name: 'delay', exact: true }).click()
  const slider = menu.getByRole('slider').first()
  const first = await slider.getAttribute('aria-valuetext')
  for (let presses = 0; presses < 20; presses++) await slider.press('ArrowRight')
  await expect.poll(() => slider.getAttribute('aria-valuetext')).not.toBe(first)
  const ms = Number.parseInt((await slider.getAttribute('aria-valuetext')) ?? '', 10)
  await menu.getByRole('button', { name: '5s', exact: true }).click()
  await menu.getByRole('button', { name: 'do it' }).click()
  await linkIn(page, 1, 2, `: .*\\+${ms} ms.*`).waitFor()
  await linkIn(page, 1, 2, '').waitFor()
})

browserTest('the keyboard alone kills, cuts, heals and restarts', async () => {
  const { page, doLine } = await shown()
  const killed = await leaderIn(page)
  const { keyboard } = page
  for (let steps = 0; steps < killed; steps++) await keyboard.press('ArrowRight')
  await page.locator(`#node-${killed}:focus`).waitFor()
  await keyboard.press('k')
  await nodeIn(page, killed, 'down').waitFor()
  await leaderIn(page, killed)
  await keyboard.press('Enter')
  const menu = page.getByRole('dialog', { name: `verbs for node ${killed}` })
  // To kill it again would change nothing.
  await menu.getByText(`restart ${killed}`, { exact: true }).waitFor()
  await keyboard.press('Escape')
  await keyboard.press('Home')
  await keyboard.press('ArrowDown')
  await page.locator('#link-1-2:focus').waitFor()
  await keyboard.press('c')
  await linkIn(page, 1, 2, ': .*cut.*').waitFor()
  await keyboard.press('H')
  await linkIn(page, 1, 2, '').waitFor()
  await keyboard.press('/')
  await keyboard.type('put color light blue')
  await keyboard.press('Enter')
  await expect.poll(() => doLine('get color'), { timeout: 20_000 }).toMatchObject({ value: 'light blue' })
  await keyboard.press('Escape')
  await keyboard.press('Tab')
  await keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor()
  await keyboard.press('Escape')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'hidden' })
})

browserTest('the focus goes to the next fault when one is healed, and then to the ring', async () => {
  const { page, doLine } = await shown()
  await leaderIn(page)
  await doLine('cut 1-2')
  await doLine('cut 1-3')
  await page.getByRole('button', { name: 'heal cut 1-2', exact: true }).focus()
  await page.keyboard.press('Enter')
  await page.locator('[aria-label="heal cut 1-3"]:focus').waitFor()
  await page.keyboard.press('Enter')
  await page.locator('.ring-box [data-end]:focus').waitFor()
})

browserTest('a letter is no verb where the ring has no focus', async () => {
  const { page, doLine } = await shown()
  await leaderIn(page)
  await page.keyboard.press('ArrowRight')
  await page.locator('#node-1:focus').waitFor()
  await page.evaluate(() => (document.activeElement as HTMLElement).blur())
  await page.keyboard.press('k')
  await page.keyboard.press('ArrowRight')
  await page.locator('#node-2:focus').waitFor()
  await page.keyboard.press('i')
  await nodeIn(page, 2, '.*isolate.*')
    .or(page.getByRole('button', { name: /^heal isolate 2/ }))
    .first()
    .waitFor()
  expect(await doLine('faults')).toMatchObject({ faults: [{ line: 'isolate 2' }] })
})

browserTest('a reload shows the same cluster, its faults, and what was before', async () => {
  const { page } = await shown()
  const leader = await leaderIn(page)
  await page.keyboard.press('/')
  await page.keyboard.type('cut 1-2\n')
  await linkIn(page, 1, 2, ': .*cut.*').waitFor()
  await hasSeconds(page, 2)
  await page.reload()
  await hasSeconds(page, 2)
  await linkIn(page, 1, 2, ': .*cut.*').waitFor()
  expect(await leaderIn(page)).toBe(leader)
})

browserTest('a page outlives its sandbox, and shows the next one of the same directory', async () => {
  const dir = ['--dir', join(temporaryFolder(), 'kept')]
  const { page, url, child, doLine } = await shown(dir)
  await leaderIn(page)
  await doLine('put color blue')
  child.kill('SIGKILL')
  await page.getByRole('alert').filter({ hasText: 'not connected' }).waitFor()
  const next = await sandbox(...calm, ...dir)
  expect(next.url).toBe(url)
  await page.getByText('live', { exact: true }).first().waitFor()
  const leader = await leaderIn(page)
  expect(await next.leaders()).toEqual([leader])
  await page.keyboard.press('/')
  await page.keyboard.type('get color\n')
  await page
    .getByText(/^blue \(version 1/)
    .first()
    .waitFor()
})

browserTest('a token is asked for, and kept out of the address', async () => {
  const { url } = await sandbox(...calm, '--listen', '0.0.0.0', '--token', 'open.Sesame')
  const page = await emptyPage(url)
  const bare = url.replace(/\?.*/, '')
  expect((await page.goto(bare))?.status()).toBe(401)
  await page.goto(url)
  await leaderIn(page)
  expect(page.url()).toBe(bare)
  await page.reload()
  await leaderIn(page)
})
