/** Keys and their values, live: as the leader sees them, and as one node does, which may be behind. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { msInWords } from './figure-words.js'
import { deleteLine, getLine, putLine, rangeLine } from './form-lines.js'
import type { KeyEntry, KeyRow } from './key-table.js'
import { atLeader, atNode, beginWatch, hasMore, keyTable, prefix, type Watch } from './key-watch.js'
import { LineButton, LinePreview, TextField } from './line-form.js'
import { steady } from './steady.js'
import { besideId, isPast, newestFrame } from './store.js'
import './keys-panel.css'

export function KeysPanel() {
  useEffect(beginWatch, [])
  return (
    <>
      {isPast.value ? (
        <p class="soft">The keys are those of the present, also while the past is shown.</p>
      ) : null}
      <OneKey />
      <WatchBar />
      <Ages />
      <Table />
    </>
  )
}

function OneKey() {
  const key = useSignal('greeting')
  const value = useSignal('hello')
  return (
    <>
      <h2>One key</h2>
      <div class="panel-form">
        <TextField label="key" value={key} />
        <span />
        <TextField label="value" value={value} />
        <LineButton told={putLine(key.value, value.value)} words="put" isMain={true} />
      </div>
      <LinePreview told={putLine(key.value, value.value)} />
      <div class="panel-buttons">
        <LineButton told={getLine(key.value, undefined)} words="get" />
        {besideId.value === undefined ? null : (
          <LineButton told={getLine(key.value, besideId.value)} words={`get of node ${besideId.value}`} />
        )}
        <LineButton told={deleteLine(key.value)} words="delete" />
      </div>
    </>
  )
}

const nodesTold = steady(() => {
  const { nodes, leaderId } = newestFrame.value ?? { nodes: [], leaderId: undefined }
  return nodes.map(({ nodeId }) => ({ nodeId, isLeader: nodeId === leaderId }))
})

function WatchBar() {
  const told = rangeLine(prefix.value, besideId.value)
  return (
    <>
      <h2>All keys, live</h2>
      <div class="panel-form">
        <TextField label="prefix" value={prefix} placeholder="any" />
        <LineButton told={told} words="range" />
        <label>
          <span>beside</span>
          <select
            value={besideId.value ?? ''}
            onChange={({ currentTarget: { value } }) => {
              besideId.value = value === '' ? undefined : Number(value)
            }}
          >
            <option value="">no other node</option>
            {nodesTold.value.map(({ nodeId, isLeader }) => (
              <option key={nodeId} value={nodeId}>
                node {nodeId}
                {isLeader ? ', the leader' : ''}, stale reads
              </option>
            ))}
          </select>
        </label>
      </div>
    </>
  )
}

function Ages() {
  const nodeId = besideId.value
  return (
    <>
      <WatchState watch={atLeader.value} name="leader" />
      {nodeId === undefined ? null : <WatchState watch={atNode.value} name={`node ${nodeId}`} />}
    </>
  )
}

function Table() {
  const isCompared = besideId.value !== undefined
  const { rows, leftOut, behind } = keyTable.value
  return (
    <>
      {isCompared && behind > 0 ? (
        <p class="warn">{behind === 1 ? '1 key differs' : `${behind} keys differ`}</p>
      ) : null}
      {rows.length === 0 ? (
        <p class="empty">no keys</p>
      ) : (
        <table class="figures keys-table">
          <thead>
            <tr>
              <th scope="col">key</th>
              <th scope="col">leader</th>
              {isCompared ? <th scope="col">node {besideId.value}</th> : null}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.key} row={row} isCompared={isCompared} />
            ))}
          </tbody>
        </table>
      )}
      {leftOut > 0 || hasMore.value ? <p class="soft">and more: give a longer prefix to see them</p> : null}
    </>
  )
}

function Row({ row, isCompared }: { row: KeyRow; isCompared: boolean }) {
  return (
    <tr class={row.isBehind ? 'behind' : ''}>
      <th scope="row">{row.key}</th>
      <Value entry={row.leader} />
      {isCompared ? <Value entry={row.node} /> : null}
    </tr>
  )
}

function Value({ entry }: { entry: KeyEntry | undefined }) {
  if (entry === undefined) return <td class="soft">none</td>
  const { value, version, modRevision } = entry
  return (
    <td title={`version ${version}, revision ${modRevision}: ${value}`}>
      {value.slice(0, valueMax)}
      {value.length > valueMax ? '…' : ''}
    </td>
  )
}

const valueMax = 60

function WatchState({ watch: { seen, trouble }, name }: { watch: Watch; name: string }) {
  if (trouble !== undefined)
    return (
      <p class="bad">
        {name}: {trouble}
      </p>
    )
  if (seen.index === undefined) return null
  const age =
    seen.ageMs === null || seen.ageMs === undefined
      ? 'of unknown age'
      : `${msInWords(seen.ageMs)} old at most`
  return (
    <p class="soft keys-age">
      {name}: as of index {seen.index.toLocaleString('en')}, {age}
    </p>
  )
}
