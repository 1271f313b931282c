/** The head of the page: which cluster is shown, and how it is. */
import { helpIsOpen } from './help.js'
import { termInCss } from './palette.js'
import { steady } from './steady.js'
import { connection, head, isPast, shownFrame, subject } from './store.js'
import { nextTheme, theme } from './theme.js'

export function Header() {
  return (
    <header class="header">
      <h1>raftbox</h1>
      <Summary />
      <span class="spring" />
      <ConnectionState />
      <button type="button" class="quiet" onClick={() => (helpIsOpen.value = true)} title="keys (?)">
        keys
      </button>
      <button type="button" class="quiet" onClick={nextTheme} title="light, dark, or as the system has it">
        {theme.value === 'system' ? 'auto' : theme.value}
      </button>
    </header>
  )
}

const summary = steady(() => {
  const { nodes, leaderId } = shownFrame.value ?? { nodes: [], leaderId: undefined }
  const running = nodes.filter(({ state }) => state === 'running').length
  const count = running === nodes.length ? `${running} nodes` : `${running} of ${nodes.length} nodes run`
  return { count, leader: nodes.find(({ nodeId }) => nodeId === leaderId)?.currentTerm, leaderId }
})

function Summary() {
  const { count, leader, leaderId } = summary.value
  return (
    <p class="summary">
      <span>{count}</span>
      {leader === undefined ? (
        <span class="warn">no leader</span>
      ) : (
        <span>
          <i class="swatch" style={{ background: termInCss(leader) }} aria-hidden="true" />
          node {leaderId} leads term {leader}
        </span>
      )}
      <span class="soft dir">{head.value?.dir}</span>
    </p>
  )
}

function ConnectionState() {
  const told = connection.value
  if (told.state === 'lost')
    return (
      <span class="state bad" role="alert">
        not connected: {told.why}; trying again
      </span>
    )
  if (subject.value === 'record') return <span class="state">a recorded run</span>
  if (isPast.value) return <span class="state warn">the past</span>
  if (subject.value === 'scenario') return <span class="state">a scenario's own cluster</span>
  return told.state === 'live' ? (
    <span class="state good">live</span>
  ) : (
    <span class="state">connecting …</span>
  )
}
