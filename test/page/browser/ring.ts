/** The ring as a reader finds it: by what is said of its nodes and links. */
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

/** The node that leads. With `otherThan`: once it is another one. */
export async function leaderIn(page: Page, otherThan = 0): Promise<number> {
  const others = `(?!${otherThan}\\b)(\\d+)`
  const leader = page.getByRole('button', {
    name: new RegExp(`^node ${others}, leader, term \\d+, lease held`),
  })
  await leader.waitFor()
  return Number(/\d+/.exec((await leader.getAttribute('aria-label')) ?? '')?.[0])
}

/** A node, also one of which something is said: `nodeIn(page, 2, 'down')`. */
export function nodeIn(page: Page, nodeId: number, told = ''): Locator {
  return page.getByRole('button', { name: new RegExp(`^node ${nodeId}, .*${told}`) })
}

export function linkIn(page: Page, one: number, other: number, told: string): Locator {
  return page.getByRole('button', { name: new RegExp(`^link between node ${one} and node ${other}${told}$`) })
}

/** Drags from node to node, as a hand does. */
export async function dragBetween(page: Page, from: number, to: number): Promise<void> {
  const [start, end] = await Promise.all(
    [from, to].map((nodeId) => middleOf(nodeIn(page, nodeId).locator('.body'))),
  )
  if (start === undefined || end === undefined) throw new Error('a node is not shown')
  await page.mouse.move(start.x, start.y)
  await page.mouse.down()
  await page.mouse.move((start.x + end.x) / 2, (start.y + end.y) / 2)
  await page.mouse.move(end.x, end.y)
  await page.mouse.up()
}

async function middleOf(element: Locator): Promise<{ readonly x: number; readonly y: number } | undefined> {
  const box = await element.boundingBox()
  return box === null ? undefined : { x: box.x + box.width / 2, y: box.y + box.height / 2 }
}

/** Resolves once the page has a run of so many seconds to scroll back in. */
export async function hasSeconds(page: Page, seconds: number): Promise<void> {
  const timeLine = page.getByRole('slider', { name: /^moment that is shown/ })
  const end = async (name: string) => Number(await timeLine.getAttribute(name))
  const length = async () => (await end('aria-valuemax')) - (await end('aria-valuemin'))
  await expect.poll(length, { timeout: 40_000 }).toBeGreaterThanOrEqual(seconds)
}
