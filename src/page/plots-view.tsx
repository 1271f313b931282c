/** Figures of the cluster over time. */
export function PlotsView() {
  return <div class="empty">…</div>
}
