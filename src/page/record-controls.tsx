/** Saves the run that is shown to a file, and opens such a file. */
import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { addressOf } from './api.js'
import { embedded, isAway, isReading, leaveRecord, openFile, showFirst, trouble } from './record-source.js'
import { subject } from './store.js'

const isDroppable = signal(false)

export function RecordControls() {
  const input = useRef<HTMLInputElement>(null)
  useEffect(takeDrops, [])
  return (
    <div class="records">
      {subject.value === 'record' ? <Leave /> : <Save />}
      <button type="button" title="open a recorded run" onClick={() => input.current?.click()}>
        {isReading.value ? 'reading …' : 'open …'}
      </button>
      <input ref={input} type="file" hidden={true} onChange={onPicked} />
      {isDroppable.value && <div class="records-drop">drop the file to open the run</div>}
      <Trouble />
    </div>
  )
}

function Trouble() {
  if (trouble.value === undefined) return null
  const putAway = (): void => {
    trouble.value = undefined
  }
  return (
    <p class="records-trouble bad" role="alert">
      {trouble.value}{' '}
      <button type="button" onClick={putAway} aria-label="put this line away">
        ×
      </button>
    </p>
  )
}

function Save() {
  if (subject.value !== 'cluster') return null
  return (
    <>
      <a href={addressOf('/api/record')} download="raftbox-run.jsonl" title="the run so far, as a file">
        save
      </a>
      <a
        href={addressOf('/api/record.html')}
        download="raftbox-run.html"
        title="the run so far, as one page that needs no server"
      >
        as a page
      </a>
    </>
  )
}

function Leave() {
  if (embedded !== null)
    return isAway.value ? (
      <button type="button" onClick={showFirst} title="show the run that is in this page">
        back to the run of this page
      </button>
    ) : null
  return (
    <button type="button" onClick={leaveRecord} title="show the cluster that runs">
      back to the cluster
    </button>
  )
}

function onPicked({ currentTarget }: Event): void {
  const input = currentTarget as HTMLInputElement
  const [file] = input.files ?? []
  if (file !== undefined) void openFile(file)
  // The same file may be picked again.
  input.value = ''
}

/** A file may be dropped anywhere on the page. */
function takeDrops(): () => void {
  const hasFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false
  const onOver = (event: DragEvent): void => {
    if (!hasFile(event)) return
    event.preventDefault()
    isDroppable.value = true
  }
  const onLeave = (event: DragEvent): void => {
    if (event.relatedTarget === null) isDroppable.value = false
  }
  const onDrop = (event: DragEvent): void => {
    if (!hasFile(event)) return
    event.preventDefault()
    isDroppable.value = false
    const [file] = event.dataTransfer?.files ?? []
    if (file !== undefined) void openFile(file)
  }
  const ending = new AbortController()
  const { signal } = ending
  addEventListener('dragover', onOver, { signal })
  addEventListener('dragleave', onLeave, { signal })
  addEventListener('drop', onDrop, { signal })
  return () => ending.abort()
}
