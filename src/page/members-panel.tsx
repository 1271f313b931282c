/** The members: who votes, who only follows, and every change of them, with how far it is. */
import { done } from './actions.js'
import { LineButton } from './line-form.js'
import { configurationIn, type MemberRow, memberRows } from './member-list.js'
import { steady } from './steady.js'
import { isPast, shownFrame, subject } from './store.js'

const members = steady(() => {
  const frame = shownFrame.value
  return frame && { rows: memberRows(frame), configuration: configurationIn(frame) }
})

export function MembersPanel() {
  if (members.value === undefined) return <p class="soft">…</p>
  const { rows, configuration } = members.value
  // A member of the past may have another part by now.
  const canChange = subject.value === 'cluster' && !isPast.value
  return (
    <>
      <h2>Members</h2>
      <p>{configuration.words}</p>
      {configuration.changes.map((words) => (
        <p key={words} class="warn">
          {words}
        </p>
      ))}
      <table class="figures members">
        <thead>
          <tr>
            <th scope="col">node</th>
            <th scope="col">part</th>
            <th scope="col">behind</th>
            {canChange ? <th scope="col">change</th> : null}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.nodeId} row={row} canChange={canChange} />
          ))}
        </tbody>
      </table>
      {canChange ? (
        <div class="panel-buttons members-add">
          <LineButton told={{ line: 'add' }} words="add a voter" isMain={true} />
          <LineButton told={{ line: 'add learner' }} words="add a learner" />
          <LineButton told={{ line: 'transfer' }} words="hand over to anybody" />
        </div>
      ) : null}
      <UnderWay />
    </>
  )
}

function Row({ row, canChange }: { row: MemberRow; canChange: boolean }) {
  const { nodeId, member, state, isLeader, lag, isSnapshotSent, verbs } = row
  return (
    <tr>
      <th scope="row">{nodeId}</th>
      <td>
        {isLeader ? `${member}, leads` : member}
        {state === 'running' ? null : <span class="warn"> {state}</span>}
      </td>
      <td>
        {lag === undefined ? '?' : lag === 0 ? 'nothing' : lag.toLocaleString('en')}
        {isSnapshotSent ? ', snapshot on its way' : ''}
      </td>
      {canChange ? (
        <td>
          <span class="panel-buttons">
            {verbs.map((verb) => (
              <LineButton key={verb} told={{ line: `${verb} ${nodeId}` }} words={verb} />
            ))}
          </span>
        </td>
      ) : null}
    </tr>
  )
}

const memberVerbs = /^(?:transfer|add|promote|demote|remove|replace)\b/

/** The changes that were asked for, and their answers: a node that is added has to catch up first. */
function UnderWay() {
  const lines = done.value.filter(({ line }) => memberVerbs.test(line)).slice(-4)
  if (lines.length === 0) return null
  return (
    <>
      <h3>asked for</h3>
      <ul class="members-asked" aria-live="polite">
        {lines.map(({ number, line, answer }) => (
          <li key={number}>
            <code>{line}</code>{' '}
            {answer === undefined ? (
              <span class="warn">under way …</span>
            ) : (
              <span class={answer.ok ? 'good' : 'bad'}>{answer.ok ? answer.words : answer.message}</span>
            )}
          </li>
        ))}
      </ul>
    </>
  )
}
