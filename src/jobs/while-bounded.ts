/** A job in other threads that ends early at a time or at its caller's wish, and that tells how far it is. */

const progressMs = 500

interface Bounds<Figures> {
  /** The threads are asked to end after this time. Default: the job ends by itself. */
  readonly seconds?: number | undefined
  /** Called every half second with how far the job is. */
  readonly progress?: ((figures: Figures) => void) | undefined
  /** The threads are asked to end when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** The caller's hold on the threads of a job. */
interface Threads<Figures> {
  readonly figures: () => Figures
  /** Asks the threads to end. The job still gives what they have by then. */
  readonly end: () => void
}

/** Starts the job and waits for its result. */
export async function whileBounded<Figures, Result>(
  { seconds, progress, signal }: Bounds<Figures>,
  { figures, end }: Threads<Figures>,
  job: () => Promise<Result>,
): Promise<Result> {
  const timer = seconds === undefined ? undefined : setTimeout(end, 1000 * seconds)
  const ticker = progress && setInterval(() => progress(figures()), progressMs)
  signal?.addEventListener('abort', end)
  if (signal?.aborted === true) end()
  try {
    return await job()
  } finally {
    clearTimeout(timer)
    clearInterval(ticker)
    signal?.removeEventListener('abort', end)
  }
}
