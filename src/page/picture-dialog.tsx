/** A picture of a stretch of time, as large as it is. */
import { useEffect, useRef } from 'preact/hooks'

export function PictureDialog({ svg, onClose }: { svg: string; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  // As an image it can run nothing and ask for nothing.
  const address = `data:image/svg+xml,${encodeURIComponent(svg)}`
  return (
    <dialog
      ref={dialog}
      class="picture"
      aria-label="who said what to whom"
      // Keys of the page do not reach through it: Escape closes it, and nothing else.
      onKeyDown={(event) => event.stopPropagation()}
      onClose={onClose}
    >
      <header>
        <a href={address} download="raftbox-picture.svg">
          save
        </a>
        <button type="button" onClick={() => dialog.current?.close()}>
          close
        </button>
      </header>
      <img src={address} alt="messages and roles of all nodes over time; the words beside it tell the same" />
    </dialog>
  )
}
