/** The ring of nodes. */
import { shownNodes } from './store.js'

export function Ring() {
  return (
    <ul>
      {shownNodes.value.map(({ nodeId, role, currentTerm }) => (
        <li key={nodeId}>
          node {nodeId} {role} {currentTerm}
        </li>
      ))}
    </ul>
  )
}
