/** A page that nobody sees holds no connections, of which a browser keeps few to one server. */

const unseenMs = 10_000

/** Keeps something open for as long as somebody can see the page, and some seconds more. */
export function whileSeen(open: () => () => void): () => void {
  let close: (() => void) | undefined = open()
  let timer: ReturnType<typeof setTimeout> | undefined
  const onChange = () => {
    clearTimeout(timer)
    if (!document.hidden) close ??= open()
    else
      timer = setTimeout(() => {
        close?.()
        close = undefined
      }, unseenMs)
  }
  document.addEventListener('visibilitychange', onChange)
  return () => {
    document.removeEventListener('visibilitychange', onChange)
    clearTimeout(timer)
    close?.()
  }
}
