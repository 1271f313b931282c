/** Server-sent events out of the text of a stream, which may be cut anywhere. */

export interface StreamEvent {
  /** `message` where the server names none. */
  readonly name: string
  readonly id: string | undefined
  readonly data: string
}

export class EventLines {
  #rest = ''

  /** The events that are whole by now. */
  take(text: string): StreamEvent[] {
    const blocks = `${this.#rest}${text}`.split('\n\n')
    this.#rest = blocks.pop() ?? ''
    return blocks.map(eventOf).filter(({ data }) => data !== '')
  }
}

function eventOf(block: string): StreamEvent {
  const lines = block.split('\n')
  const values = (field: string) =>
    lines.flatMap((line) =>
      line.startsWith(`${field}:`) ? [line.slice(field.length + 1).replace(/^ /, '')] : [],
    )
  return {
    name: values('event').at(-1) ?? 'message',
    id: values('id').at(-1),
    data: values('data').join('\n'),
  }
}
