/** A canvas that fills its box, drawn anew when anything changes that it was drawn from. */
import { type Signal, useSignalEffect } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

export interface Size {
  readonly widthPx: number
  readonly heightPx: number
}

export interface Paper extends Size {
  readonly context: CanvasRenderingContext2D
}

/** `draw` reads signals: it is called again when one of them, or the size of the canvas, has changed. */
export function useDrawing(
  size: Signal<Size>,
  draw: (paper: Paper) => void,
): RefObject<HTMLCanvasElement | null> {
  const ref = useRef<HTMLCanvasElement>(null)
  useSize(ref, size)
  useSignalEffect(() => {
    const { widthPx, heightPx } = size.value
    const context = ref.current?.getContext('2d')
    if (!context || widthPx === 0 || heightPx === 0) return
    const { canvas } = context
    const scale = devicePixelRatio
    const [width, height] = [Math.round(widthPx * scale), Math.round(heightPx * scale)]
    // A canvas whose size is set is also cleared, which costs more than to clear it.
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
    context.setTransform(scale, 0, 0, scale, 0, 0)
    context.clearRect(0, 0, widthPx, heightPx)
    draw({ context, widthPx, heightPx })
  })
  return ref
}

/** Tells the size of an element, as its stylesheet and the window make it. */
export function useSize(ref: RefObject<HTMLElement | null>, size: Signal<Size>): void {
  useEffect(() => {
    const element = ref.current
    if (element === null) return
    const observer = new ResizeObserver(() => {
      size.value = { widthPx: element.clientWidth, heightPx: element.clientHeight }
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
}
