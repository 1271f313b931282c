/** A program of one's own: it hands out numbers, and no number twice. */
export async function nextTicket(cluster) {
  for (;;) {
    const last = (await cluster.get('last ticket'))?.value
    const ticket = Number(last ?? 0) + 1
    // Another caller may have taken the number since: the swap then changes nothing.
    const { swapped } = await cluster.cas('last ticket', last, String(ticket))
    if (swapped) return ticket
  }
}
