/** What happened, in plain words. */
export function Feed() {
  return <div class="empty">…</div>
}
