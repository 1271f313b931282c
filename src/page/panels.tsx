/** Panels in tabs: the tour, explanations, keys, load, members and scenarios. */
import { useEffect } from 'preact/hooks'
import { ExplainPanel } from './explain-panel.js'
import { KeysPanel } from './keys-panel.js'
import { LoadPanel } from './load-panel.js'
import { MembersPanel } from './members-panel.js'
import { beginPanels, openPanel, type PanelName, panels, showPanel } from './picked.js'
import { ScenariosPanel } from './scenarios-panel.js'
import { TourPanel } from './tour-panel.js'
import './panels.css'

const contents: Readonly<Record<PanelName, () => preact.JSX.Element>> = {
  tour: TourPanel,
  explain: ExplainPanel,
  keys: KeysPanel,
  load: LoadPanel,
  members: MembersPanel,
  scenarios: ScenariosPanel,
}

export function Panels() {
  useEffect(beginPanels, [])
  const open = openPanel.value
  const Content = contents[open]
  return (
    <div class="panels">
      <div class="tabs" role="tablist" aria-label="panels" onKeyDown={onKeyDown}>
        {panels.value.map((name) => (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            aria-selected={name === open}
            aria-controls="panel"
            tabIndex={name === open ? 0 : -1}
            onClick={() => showPanel(name)}
          >
            {name}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a panel that scrolls has to be reached by keys. */}
      <div id="panel" class="panel" role="tabpanel" aria-labelledby={`tab-${open}`} tabIndex={0}>
        <Content />
      </div>
    </div>
  )
}

/** Arrows go from tab to tab. */
function onKeyDown(event: KeyboardEvent): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
  if (step === undefined) return
  event.preventDefault()
  const all = panels.value
  const next = all[(all.indexOf(openPanel.value) + step + all.length) % all.length]
  if (next === undefined) return
  showPanel(next)
  document.getElementById(`tab-${next}`)?.focus()
}
