/** The places of the page, and what stands in each. */
import type { ComponentChildren } from 'preact'
import { CommandBar } from './command-bar.js'
import { Feed } from './feed.js'
import { Header } from './header.js'
import { Help } from './help.js'
import { LiveRegion } from './live-region.js'
import { LogsView } from './logs-view.js'
import { Panels } from './panels.js'
import { PlotsView } from './plots-view.js'
import { Ring } from './ring.js'
import { TimeLine } from './time-line.js'

export function Shell() {
  return (
    <main class="shell">
      <Header />
      <Place name="ring" title="Ring">
        <Ring />
      </Place>
      <Place name="logs" title="Logs">
        <LogsView />
      </Place>
      <Place name="plots" title="Plots">
        <PlotsView />
      </Place>
      <Place name="feed" title="What happened">
        <Feed />
      </Place>
      <Place name="panels" title="Panels">
        <Panels />
      </Place>
      <Place name="time" title="Time line">
        <TimeLine />
      </Place>
      <CommandBar />
      <Help />
      <LiveRegion />
    </main>
  )
}

/** A place of the layout. Its heading is for readers that go from heading to heading. */
function Place({ name, title, children }: { name: string; title: string; children: ComponentChildren }) {
  return (
    <section class={`place place-${name}`} aria-label={title}>
      {children}
    </section>
  )
}
