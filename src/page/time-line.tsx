/** The whole run as a strip, to scroll back in. */
export function TimeLine() {
  return <div class="empty">…</div>
}
