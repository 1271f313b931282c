/** The figures of all logs as a table, for readers who do not see the drawing. */
import { nowAndThen } from './now-and-then.js'
import { shownFrame } from './store.js'

/** A table that changed ten times a second could not be read to anybody. */
const told = nowAndThen(shownFrame, 2000)

export function LogFigures() {
  const frame = told.value
  const leader = frame?.nodes.find(({ nodeId }) => nodeId === frame.leaderId)
  return (
    <table class="unseen">
      <caption>the logs in figures</caption>
      <thead>
        <tr>
          {[
            'node',
            'state',
            'term',
            'first',
            'last',
            'on disk',
            'committed',
            'applied',
            'snapshot to',
            'match',
            'next',
          ].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {frame?.nodes.map((node) => {
          const progress = leader?.progress.find(({ nodeId }) => nodeId === node.nodeId)
          return (
            <tr key={node.nodeId}>
              <th scope="row">{node.nodeId}</th>
              <td>{node === leader ? 'leads' : node.state}</td>
              <td>{node.currentTerm}</td>
              <td>{node.firstIndex}</td>
              <td>{node.lastIndex}</td>
              <td>{node.flushedIndex}</td>
              <td>{node.commitIndex}</td>
              <td>{node.lastApplied}</td>
              <td>{node.snapshotIndex}</td>
              <td>{progress?.matchIndex ?? '–'}</td>
              <td>{progress?.nextIndex ?? '–'}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
