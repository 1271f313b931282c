/** Panels in tabs: keys, members, scenarios, the tour, explanations. */
export function Panels() {
  return <div class="empty">…</div>
}
