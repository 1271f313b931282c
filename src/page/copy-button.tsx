/** A button that copies a line. */
import { useSignal } from '@preact/signals'

export function CopyButton({ text }: { text: string }) {
  const copied = useSignal('copy')
  const copy = async () => {
    // Browsers hand out the clipboard on this machine's own addresses and over TLS only.
    copied.value = await (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(
      () => 'copied',
      () => 'not allowed',
    )
    setTimeout(() => (copied.value = 'copy'), 1200)
  }
  return (
    <button type="button" class="quiet copy" onClick={() => void copy()} aria-label={`copy ${text}`}>
      {copied}
    </button>
  )
}
