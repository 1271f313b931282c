/** The ring of nodes, with all that is done in it by mouse and by key. */
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { act } from './actions.js'
import { Choices } from './choices.js'
import { FaultsView } from './faults-view.js'
import { useKeptFocus } from './kept-focus.js'
import { chosenAt } from './keys.js'
import { Legend } from './legend.js'
import { endAt, type Point } from './ring-geometry.js'
import { Clients, Figures, Links } from './ring-links.js'
import { RingMotion } from './ring-motion.js'
import { RingNode } from './ring-node.js'
import {
  chosenIn,
  drag,
  elementIdOf,
  isSame,
  looks,
  openMenu,
  places,
  ringSize,
  tabStop,
  tool,
} from './ring-state.js'
import { type Chosen, chosen, type End, subject } from './store.js'
import { VerbMenu } from './verb-menu.js'
import './ring.css'

/** A pointer that moves less than this clicks. */
const dragPx = 6

export function Ring() {
  const box = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const [element, surface] = [box.current, canvas.current]
    if (element === null || surface === null) return
    const sizes = new ResizeObserver(() => {
      ringSize.value = { width: element.clientWidth, height: element.clientHeight }
    })
    sizes.observe(element)
    const motion = new RingMotion(surface)
    return () => {
      sizes.disconnect()
      motion.close()
    }
  }, [])
  const handlers = useMemo(() => gestures(box), [])
  return (
    <div class="ring">
      <div class="ring-box" ref={box} {...handlers}>
        <Picture />
        <canvas class="ring-messages" ref={canvas} />
        <Legend />
        <Tools />
      </div>
      <FaultsView />
      <VerbMenu />
    </div>
  )
}

function Picture() {
  const picture = useRef<SVGSVGElement>(null)
  useKeptFocus(picture)
  const { width, height } = ringSize.value
  const { spots, hasWords } = places.value
  if (width === 0) return null
  return (
    // biome-ignore lint/a11y/useSemanticElements: a picture is no group of fields.
    <svg
      ref={picture}
      class="ring-picture"
      width={width}
      height={height}
      role="group"
      aria-label="the nodes and their links"
    >
      <Links />
      <Clients />
      <DragLine />
      {looks.value.map((look) => {
        const node = chosenAt(look.nodeId)
        const spot = spots.get(look.nodeId)
        return spot === undefined ? null : (
          <RingNode
            key={look.nodeId}
            {...{ look, spot, hasWords }}
            isChosen={isSame(chosen.value, node)}
            isTabStop={tabStop.value === elementIdOf(node)}
          />
        )
      })}
      <Figures />
    </svg>
  )
}

function DragLine() {
  const going = drag.value
  const from = going === undefined ? undefined : places.value.spots.get(going.from)
  if (going === undefined || from === undefined) return null
  return <path class={`drag ${tool.value}`} d={`M${from.x} ${from.y}L${going.to.x} ${going.to.y}`} />
}

const tools = [
  ['menu', 'open the menu of the link'],
  ['cut', 'cut the link'],
] as const

function Tools() {
  return (
    <fieldset class="tools">
      <legend class="unseen">what a drag from node to node does</legend>
      <Choices
        choices={tools.map(([words, does]) => ({
          ...{ words, title: `drag from node to node: ${does}`, isChosen: tool.value === words },
          choose: () => (tool.value = words),
        }))}
      />
    </fieldset>
  )
}

function gestures(box: { current: HTMLDivElement | null }) {
  let start: { readonly at: Point; readonly of: Chosen | undefined } | undefined
  const pointOf = (event: PointerEvent): Point => {
    const { left, top } = box.current?.getBoundingClientRect() ?? { left: 0, top: 0 }
    return { x: event.clientX - left, y: event.clientY - top }
  }
  return {
    /** The element that has the focus is what is chosen, however the focus came to it. */
    onFocusIn(event: FocusEvent) {
      chosen.value = chosenIn(event.target) ?? chosen.value
    },
    /** Assistive technology clicks without a pointer. A click of a pointer has a count, and is told by its end. */
    onClick(event: MouseEvent) {
      const of = chosenIn(event.target)
      if (event.detail === 0 && of !== undefined) openMenu(of)
    },
    onPointerDown(event: PointerEvent) {
      if (event.button !== 0 || isOfTools(event.target)) return
      start = { at: pointOf(event), of: chosenIn(event.target) }
    },
    onPointerMove(event: PointerEvent) {
      // The button was let go where the ring was not told of it.
      if (event.buttons === 0) {
        start = undefined
        drag.value = undefined
      }
      if (start?.of?.kind !== 'node' && start?.of?.kind !== 'clients') return
      const to = pointOf(event)
      if (drag.value === undefined && Math.hypot(to.x - start.at.x, to.y - start.at.y) < dragPx) return
      box.current?.setPointerCapture(event.pointerId)
      const from = start.of.kind === 'node' ? start.of.nodeId : 'clients'
      drag.value = { from, to, over: endAt(places.value.spots, to) }
    },
    onPointerUp() {
      const [ended, begun] = [drag.value, start]
      drag.value = undefined
      start = undefined
      if (ended !== undefined) dropped(ended.from, ended.over)
      else if (begun !== undefined) openMenu(begun.of)
    },
    onPointerCancel() {
      drag.value = undefined
      start = undefined
    },
    onContextMenu(event: MouseEvent) {
      const of = chosenIn(event.target)
      if (of === undefined) return
      event.preventDefault()
      openMenu(of)
    },
  }
}

function isOfTools(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('.tools, .legend') !== null
}

function dropped(from: End, over: End | undefined): void {
  if (over === undefined || over === from || subject.value !== 'cluster') return
  if (tool.value === 'cut') void act(`cut ${from}-${over}`)
  else openMenu({ kind: 'link', one: from, other: over })
}
