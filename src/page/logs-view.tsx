/** The logs of all nodes beside each other. */
export function LogsView() {
  return <div class="empty">…</div>
}
