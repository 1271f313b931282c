/** The head of the page: which cluster is shown, and how it is. */
import { connection, cursor, shownFrame, subject } from './store.js'
import { nextTheme, theme } from './theme.js'

export function Header() {
  return (
    <header class="header">
      <h1>raftbox</h1>
      <Summary />
      <span class="spring" />
      <ConnectionState />
      <button type="button" class="quiet" onClick={nextTheme} title="light or dark">
        {theme.value}
      </button>
    </header>
  )
}

function Summary() {
  const frame = shownFrame.value
  if (frame === undefined) return null
  const leader = frame.nodes.find(({ nodeId }) => nodeId === frame.leaderId)
  return (
    <p class="summary">
      {frame.nodes.length} nodes,{' '}
      {leader === undefined ? 'no leader' : `node ${leader.nodeId} leads term ${leader.currentTerm}`}
    </p>
  )
}

function ConnectionState() {
  const told = connection.value
  if (subject.value === 'record') return <span class="state">a recorded run</span>
  if (told.state === 'lost')
    return (
      <span class="state bad" role="alert">
        no connection to the sandbox: {told.why}
      </span>
    )
  if (cursor.value !== 'live') return <span class="state">the past</span>
  return <span class="state">{told.state === 'live' ? 'live' : 'connecting …'}</span>
}
