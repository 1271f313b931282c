/** The list of keys. */
import { signal } from '@preact/signals'
import { Fragment } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { keyVerbs, otherKeys } from './keys.js'

export const helpIsOpen = signal(false)

export function Help() {
  const box = useRef<HTMLDialogElement>(null)
  const isOpen = helpIsOpen.value
  useEffect(() => {
    if (isOpen) box.current?.showModal()
    else box.current?.close()
  }, [isOpen])
  return (
    <dialog class="help" ref={box} onClose={() => (helpIsOpen.value = false)} aria-labelledby="help-title">
      <h2 id="help-title">Keys</h2>
      <div class="columns">
        <Keys title="Everywhere" keys={otherKeys} />
        <Keys title="On a node" keys={keysOn('node')} />
        <Keys title="On a link" keys={keysOn('link')} />
      </div>
      <p>Each of them, and every button, is a line that the command bar takes too.</p>
      <form method="dialog">
        <button type="submit" class="main">
          close
        </button>
      </form>
    </dialog>
  )
}

function keysOn(on: 'node' | 'link'): readonly (readonly [string, string])[] {
  return keyVerbs.filter((each) => each.on === on).map(({ key, words }) => [key, words])
}

function Keys({ title, keys }: { title: string; keys: readonly (readonly [string, string])[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {keys.map(([key, words]) => (
          <Fragment key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{words}</dd>
          </Fragment>
        ))}
      </dl>
    </section>
  )
}
