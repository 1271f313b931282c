/** A program of one's own, on etcd: it counts visits, and tells each visitor a number that no other has. */
export async function countVisit(client) {
  for (;;) {
    const seen = (await client.get('visits').number()) ?? 0
    // Another visitor may have come since: the transaction then changes nothing. A key's version counts its changes.
    const { succeeded } = await client
      .if('visits', 'Version', '==', seen)
      .then(client.put('visits').value(seen + 1))
      .commit()
    if (succeeded) return seen + 1
  }
}
