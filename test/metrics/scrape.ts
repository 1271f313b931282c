/** Reads the text of a scrape as Prometheus does, as far as the tests need it. */

/** The value of each sample, by its name and labels as they are written. */
export type Scrape = ReadonlyMap<string, number>

export function read(text: string): Scrape {
  const samples = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const at = line.lastIndexOf(' ')
    samples.set(line.slice(0, at), Number(line.slice(at + 1)))
  }
  return samples
}
