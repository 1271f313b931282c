/** The memory of the process while a scenario runs: a long one shows whether it is bounded. */

export interface Rss {
  readonly beginMiB: number
  readonly peakMiB: number
  readonly endMiB: number
}

const lookEveryMs = 250

export class RssWatch {
  readonly #beginMiB = rssMiB()
  #peakMiB = this.#beginMiB
  readonly #timer = setInterval(() => this.#look(), lookEveryMs).unref()

  end(): Rss {
    clearInterval(this.#timer)
    const endMiB = this.#look()
    return { beginMiB: this.#beginMiB, peakMiB: this.#peakMiB, endMiB }
  }

  #look(): number {
    const nowMiB = rssMiB()
    this.#peakMiB = Math.max(this.#peakMiB, nowMiB)
    return nowMiB
  }
}

function rssMiB(): number {
  return Math.round(process.memoryUsage.rss() / 2 ** 20)
}
